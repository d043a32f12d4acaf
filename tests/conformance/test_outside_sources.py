"""Every source of external data, through one suite: series by publication, calendars, feeds."""

from __future__ import annotations

import threading
import time

import pandas as pd
import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.outside.source import OUTSIDE_SOURCES
from tests.conformance.outside_rig import RIGS, OutsideRig, reached


@pytest.fixture(params=RIGS, ids=lambda rig: rig.__name__)
def rig(request) -> OutsideRig:
    return request.param()


def same(frame: pd.DataFrame, rig: OutsideRig) -> None:
    """Rows in order, times in UTC with nanoseconds, as they are known."""
    assert all(str(frame[name].dtype) == "datetime64[ns, UTC]" for name in frame if name in ("ts", "date", "published"))
    if rig.source().kind == "series":
        got = [(f"{row.date:%Y-%m-%d}", f"{row.published:%Y-%m-%dT%H:%MZ}", row.value) for row in frame.itertuples()]
    else:
        got = [(f"{row.ts:%Y-%m-%dT%H:%MZ}", *row[2:]) for row in frame.itertuples()]
    assert tuple(got) == rig.rows


def test_the_rows_are_those_of_the_vendor_by_when_they_were_known(rig):
    with reached(rig) as (_, request, connection, _):
        same(rig.source().fetch(request, connection).frame, rig)


def test_what_the_vendor_does_not_have_is_refused_at_once(rig):
    with reached(rig) as (_, request, connection, skipped), pytest.raises(BadRequest):
        rig.source().fetch(rig.unknown(request.url.removesuffix(getattr(rig, "path", ""))), connection)
    assert skipped.waited == 0.0


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_tried_again_and_shows_no_key(rig, status):
    with reached(rig) as (double, request, connection, skipped):
        double.fail(status, times=6)
        with pytest.raises(BadRequest, match=str(status)) as refused:
            rig.source().fetch(request, connection)
    assert skipped.waited == 0.0 and not [secret for secret in rig.secrets if secret in str(refused.value)]


def test_retry_after_is_obeyed(rig):
    with reached(rig) as (double, request, connection, skipped):
        double.fail(429, retry_after="7")
        same(rig.source().fetch(request, connection).frame, rig)
    assert 6.9 <= skipped.waited < 8.0


@pytest.mark.parametrize("fault", [500, "cut", "broken", "closed"])
def test_what_may_pass_is_tried_again_after_one_and_two_seconds(rig, fault):
    with reached(rig) as (double, request, connection, skipped):
        double.fail(fault, times=2)
        same(rig.source().fetch(request, connection).frame, rig)
    assert 2.9 <= skipped.waited < 4.0


def test_after_six_tries_the_vendor_is_left_alone(rig):
    with reached(rig) as (double, request, connection, _):
        double.fail(503, times=20)
        with pytest.raises(SourceUnavailable, match="6 tries") as given_up:
            rig.source().fetch(request, connection)
    assert len(double.requests) == 6 and not [secret for secret in rig.secrets if secret in str(given_up.value)]


def test_a_connection_on_which_nothing_comes_is_timed_out_and_tried_again(rig):
    with reached(rig, timeout=0.25) as (double, request, connection, skipped):
        double.fail("half-open")
        rig.source().fetch(request, connection)
    assert skipped.waited >= 0.9


def test_a_cancel_is_noticed_within_a_second(rig):
    class Cancelled(BaseException):
        pass

    cancelled = threading.Event()

    def check() -> None:
        if cancelled.is_set():
            raise Cancelled

    with reached(rig, check=check) as (double, request, connection, _):
        double.fail("half-open", times=9)
        threading.Timer(0.1, cancelled.set).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            rig.source().fetch(request, connection)
        assert time.monotonic() - began < 1.2


def test_every_vendor_of_external_data_is_in_the_suite():
    assert {rig.vendor for rig in RIGS} == set(OUTSIDE_SOURCES)
