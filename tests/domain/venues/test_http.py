"""How vendors are reached: waits, time-outs, what is remembered of trouble, and that no key gets into a sentence."""

from __future__ import annotations

import time

import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.venues import VENDORS
from domain.venues.http import Clock, Connection, Pace, Refused, Transient, retry_after
from domain.venues.vendor import loopback
from tests.conformance.source_rig import Skipped
from tests.doubles.server import Double, HttpRequest, Reply
from worker.settings import OF_VENDORS, load

KEY = "not-to-be-seen-4711"


class Echo(Double):
    def reply(self, request: HttpRequest) -> Reply:
        return Reply(404, {"no": "such thing"}) if request.path == "/none" else Reply(200, {"path": request.path})


@pytest.fixture(scope="module")
def address():
    double = Echo()
    with double.serve() as url:
        yield url


def connection(url: str = "http://127.0.0.1:9", random: float = 0.0, **options) -> tuple[Connection, Skipped]:
    skipped = Skipped()
    return Connection("Vendor", url, skipped.clock, lambda: random, keys={"TIDEMARK_X_KEY": KEY}, double=True, **options), skipped


def failing(connection: Connection, *after: float | None, tries: int | None = None) -> list[str]:
    """What is noticed of a call that fails once for each of ``after``, then works."""
    noticed, left = [], list(after)
    connection.notice = noticed.append

    def ask() -> str:
        if left:
            raise Transient("it is busy", left.pop(0))
        return "answer"

    assert connection.call(ask, tries=tries) == "answer"
    return noticed


@pytest.mark.parametrize(("random", "waits"), [(0.0, [1, 2, 4, 8, 16, 32, 60, 60]), (1.0, [1.5, 3, 6, 12, 24, 48, 60, 60])])
def test_waits_double_from_a_second_to_a_minute_with_a_random_half_on_top(random, waits):
    here, skipped = connection(random=random)
    failing(here, *[None] * 8, tries=9)
    assert skipped.waited == pytest.approx(sum(waits), abs=1.0)


def test_retry_after_is_a_floor_and_no_shortcut():
    here, skipped = connection()
    noticed = failing(here, 0.0, 40.0)
    assert skipped.waited == pytest.approx(41.0, abs=0.5) and "requested again in 40 s (2 of 6 tries)" in noticed[1]


def test_a_vendor_that_asks_for_more_than_five_minutes_is_left():
    here, skipped = connection()
    with pytest.raises(SourceUnavailable, match="asks to wait 3600 s"):
        failing(here, 3_600.0)
    assert skipped.waited == 0.0


def test_retry_after_may_be_a_date_or_nonsense():
    at = 1_720_612_800_000_000_000
    assert retry_after({"Retry-After": "Wed, 10 Jul 2024 12:00:30 GMT"}, at) == 30.0
    assert [retry_after({"Retry-After": text}, at) for text in ("soon", "-5", "")] == [None, None, None]


def test_calls_are_paced_over_any_window():
    pace, at, begun = Pace(3, 1.0), 0.0, []
    for _ in range(10):
        at += pace.wait(at)
        begun.append(at)
    assert all(later - earlier >= 1.0 for earlier, later in zip(begun, begun[3:], strict=False)) and begun[-1] == 3.0


def test_errors_that_are_neither_pass_through_at_once():
    here, skipped = connection()
    with pytest.raises(ZeroDivisionError):
        here.call(lambda: 1 // 0)
    with pytest.raises(Refused):
        here.call(lambda: (_ for _ in ()).throw(Refused("no")))
    assert skipped.waited == 0.0


def test_a_call_that_never_ends_is_left_behind():
    here, _ = connection()
    here.tries, here.clock = 1, Clock(time.time_ns, time.monotonic, time.sleep)
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="no whole answer within"):
        here.call(lambda: time.sleep(5), deadline=0.1)
    assert time.monotonic() - began < 2.0


def test_what_is_not_there_is_refused_unless_that_is_an_answer(address):
    here, _ = connection(address)
    assert here.get("/some", {"q": "1"}).json() == {"path": "/some"}
    assert here.get("/none", missing=(404,)).status == 404
    with pytest.raises(Refused, match="Vendor answered 404: it has no such thing"):
        here.get("/none")


def test_no_key_is_in_a_sentence_or_a_description():
    here, _ = connection(timeout=0.2)
    with pytest.raises(SourceUnavailable) as failed:
        here.get("/some", {"api_key": KEY})
    assert KEY not in f"{failed.value} {here!r}" and "the connection failed" in str(failed.value)
    assert KEY not in str(here.not_allowed(401)) and "TIDEMARK_X_KEY" in str(here.not_allowed(401))


@pytest.mark.parametrize("url", ["http://example.com", "http://127.0.0.1.example.com", "ftp://127.0.0.1", "http://me:secret@127.0.0.1", "http://0.0.0.0:80", "127.0.0.1:80", "http://[fe80::1]"])
def test_a_double_runs_on_this_machine(url):
    with pytest.raises(BadRequest, match="TIDEMARK_A_URL"):
        loopback(url, "TIDEMARK_A_URL")


def test_the_settings_know_every_variable_of_a_vendor_and_show_none(tmp_path):
    declared = {name for vendor in VENDORS.values() for name in (vendor.url_variable, *(need.variable for need in vendor.needs)) if name}
    assert declared <= OF_VENDORS
    settings = load(environment={"TIDEMARK_STORAGE_HOME": str(tmp_path), "TIDEMARK_OANDA_TOKEN": KEY})
    assert settings.vendors == {"TIDEMARK_OANDA_TOKEN": KEY} and KEY not in repr(settings) and KEY not in str(settings.origin)
    with pytest.raises(BadRequest, match="did you mean 'TIDEMARK_OANDA_TOKEN'"):
        load(environment={"TIDEMARK_OANDA_TOKN": KEY})
