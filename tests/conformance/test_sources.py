"""Every source of bars, through one suite: a vendor's file and its double join it with one rig file."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pandas as pd
import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.market import bars as contract
from domain.market import instrument, ts_of
from domain.market.source import SOURCES, Missing, Page, Request, Span, nothing
from tests.conformance.source_rig import HOUR, Skipped, SourceRig, reached, rigs

RIGS = rigs()
FAST = 0.25         # seconds, the time-out where a server hangs


@pytest.fixture(scope="module", params=RIGS, ids=lambda rig: rig.__name__)
def rig(request) -> SourceRig:
    return request.param()


def can(rig: SourceRig, fault: int | str) -> SourceRig:
    if fault in rig.impossible:
        pytest.skip(f"{rig.vendor} speaks no HTTP, so it cannot answer {fault}")
    return rig


def pages(rig: SourceRig, connection, request: Request | None = None) -> Iterator[Page]:
    request = request or rig.request()
    return (rig.source().page(request, span, connection) for span in rig.source().plan(request))


def all_bars(rig: SourceRig, connection, request: Request | None = None) -> pd.DataFrame:
    frames = [page.bars for page in pages(rig, connection, request) if len(page.bars)]
    return pd.concat(frames, ignore_index=True) if frames else nothing()


def closed(rig: SourceRig) -> pd.DataFrame:
    return rig.bars.iloc[:-1].reset_index(drop=True)


def same(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(got, expected[[name for name in contract.COLUMNS if name in expected]], check_exact=True)


def refusal(rig: SourceRig, connection, request: Request | None = None) -> str:
    with pytest.raises(BadRequest) as refused:
        list(pages(rig, connection, request))
    text = str(refused.value)
    assert not [secret for secret in rig.secrets if secret in text]
    return text


def test_the_bars_of_all_pages_are_the_closed_bars_of_the_vendor(rig):
    """In order, none twice, in UTC, with side and spread; the hole in them is left, and the open bar left out."""
    with reached(rig) as (_, connection, _):
        got = all_bars(rig, connection)
    same(contract.check(got), closed(rig))
    assert rig.source().side in ("bid", "mid", "last")
    assert ("spread" in got and bool((got["spread"] > 0).all())) is rig.spread


def test_the_pages_of_a_plan_are_in_order_and_leave_nothing_out(rig):
    request = rig.request()
    plan = rig.source().plan(request)
    assert (plan[0].start, plan[-1].end) == (request.span.start, min(missing.span.start for missing in rig.source().unavailable(request)))
    assert all(before.end == after.start for before, after in itertools.pairwise(plan))


def test_the_edges_of_pages_do_not_move_with_the_start(rig):
    whole = rig.request()
    later = rig.request(Span(whole.span.start + 27 * HOUR, whole.span.end))
    edges = {span.end for span in rig.source().plan(whole)}
    assert {span.end for span in rig.source().plan(later)} <= edges


def test_a_page_has_only_bars_of_its_span(rig):
    with reached(rig) as (_, connection, _):
        page = next(pages(rig, connection, rig.request(Span(rig.request().span.start, rig.request().span.start + 7 * HOUR))))
    ts = ts_of(page.bars)
    assert len(ts) and ts.min() >= page.span.start and ts.max() < page.span.end


def test_an_empty_span_has_no_bars_and_is_no_error(rig):
    with reached(rig) as (_, connection, _):
        assert [len(page.bars) for page in pages(rig, connection, rig.request(rig.empty))] == [0]


def test_what_is_not_closed_yet_is_named_before_anybody_is_requested(rig):
    last = int(ts_of(rig.bars)[-1])
    (missing,) = (missing for missing in rig.source().unavailable(rig.request()) if missing.reason == "open")
    assert isinstance(missing, Missing) and missing.span.start == last and missing.sentence
    assert rig.source().unavailable(rig.request(Span(rig.request().span.start, last))) == ()


def test_an_instrument_that_the_vendor_does_not_have_is_refused_with_its_name(rig):
    request = rig.request()
    other = Request(instrument(rig.unknown), request.timeframe, request.span, request.at)
    with reached(rig) as (_, connection, _), pytest.raises(BadRequest, match=rig.unknown.replace("=", ".")):
        list(pages(rig, connection, other))


def test_a_key_that_is_refused_is_not_tried_again_and_not_shown(rig):
    with reached(can(rig, 401)) as (double, connection, skipped):
        double.fail(401, times=6)
        assert rig.refused in refusal(rig, connection)
    assert skipped.waited == 0.0


def test_retry_after_is_obeyed(rig):
    with reached(can(rig, 429)) as (double, connection, skipped):
        double.fail(429, retry_after="7")
        same(all_bars(rig, connection), closed(rig))
    assert 6.9 <= skipped.waited < 7.5      # real time passes too between the sleeps


@pytest.mark.parametrize("fault", [500, 503, "cut", "broken", "closed"])
def test_what_may_pass_is_tried_again_after_one_and_two_seconds(rig, fault):
    with reached(can(rig, fault)) as (double, connection, skipped):
        double.fail(fault, times=2)
        same(all_bars(rig, connection), closed(rig))
    assert 2.9 <= skipped.waited < 3.5


def test_after_six_tries_the_vendor_is_left_alone(rig):
    with reached(rig) as (double, connection, skipped):
        double.fail(503, times=20)
        with pytest.raises(SourceUnavailable, match="6 tries"):
            next(pages(rig, connection))
        assert 30.9 <= skipped.waited < 32.0 and len(double.watched_requests) == 6


def test_a_connection_on_which_nothing_comes_is_timed_out_and_tried_again(rig):
    with reached(rig, timeout=FAST) as (double, connection, skipped):
        double.fail("half-open")
        next(pages(rig, connection))
    assert skipped.waited >= 0.9


@pytest.mark.parametrize("fault", ["half-open", "slow"])
def test_a_cancel_is_noticed_within_a_second(rig, fault):
    class Cancelled(BaseException):
        pass

    cancelled = threading.Event()

    def check() -> None:
        if cancelled.is_set():
            raise Cancelled

    with reached(can(rig, fault), check=check) as (double, connection, _):
        double.fail(fault, times=9)
        threading.Timer(0.2, cancelled.set).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            list(pages(rig, connection))
        assert time.monotonic() - began < 1.2


def test_a_wait_is_cancelled_within_a_second(rig):
    class Cancelled(BaseException):
        pass

    skipped = Skipped()

    def check() -> None:
        if skipped.waited > 3:
            raise Cancelled

    double = can(rig, 429).double()
    with double.serve() as address:
        connection = rig.connection(address, skipped.clock, check)
        double.fail(429, retry_after="250")
        with pytest.raises(Cancelled):
            list(pages(rig, connection))
    assert skipped.waited < 4.0


def test_a_page_requested_alone_is_the_page_of_the_whole(rig):
    """So a download that was cut goes on where it was."""
    with reached(rig) as (_, connection, _):
        whole = list(pages(rig, connection))
        again = [rig.source().page(rig.request(), page.span, connection) for page in reversed(whole)][::-1]
    for first, second in zip(whole, again, strict=True):
        same(second.bars, first.bars)


def test_every_source_of_a_vendor_is_in_the_suite():
    assert {rig.vendor for rig in RIGS} == set(SOURCES)
    assert all(rig.secrets or not rig.environment for rig in RIGS)
