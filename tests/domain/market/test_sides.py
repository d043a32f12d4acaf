"""Which side bars quote, and bids and asks of two files joined into bars with their spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import BadRequest, UnknownName
from domain.market import instrument, join_ask, repair, resolve_side
from domain.market.side import check_pair
from tests.domain.market.makers import M5, fx_bars, ns, raw_of

EURUSD = instrument("EURUSD")


@pytest.mark.parametrize(
    ("requested", "recognised", "side"),
    [
        ("", None, "bid"),
        (None, None, "bid"),
        ("", "bid", "bid"),
        ("", "mid", "mid"),
        ("mid", None, "mid"),
        ("bid", "bid", "bid"),
        ("mid", "mid", "mid"),
    ],
)
def test_the_side_is_what_is_stated_or_seen(requested, recognised, side):
    assert resolve_side(requested, recognised, "x.csv") == side


@pytest.mark.parametrize(
    ("requested", "recognised", "sentence"),
    [
        (
            "",
            "ask",
            "x.csv quotes the ask, and orders are filled on the bid and its spread, so asks alone cannot be used.*--ask ASK.csv",
        ),
        ("ask", None, "x.csv quotes the ask"),
        ("bid", "ask", "x.csv quotes the ask, not bid; leave the side out"),
        ("bid", "mid", "x.csv quotes the middle between bid and ask, not bid"),
        ("mid", "bid", "x.csv quotes the bid, not mid"),
    ],
)
def test_a_side_that_cannot_be_is_refused_never_replaced(requested, recognised, sentence):
    with pytest.raises(BadRequest, match=sentence):
        resolve_side(requested, recognised, "x.csv")


def test_an_unknown_side_is_given_the_nearest():
    with pytest.raises(UnknownName, match="no side named 'bit'; did you mean 'bid'"):
        resolve_side("bit", None)


def test_two_files_to_join_must_be_bids_and_asks_as_far_as_they_say():
    check_pair(None, None, "a.csv", "b.csv")
    check_pair("bid", "ask", "a.csv", "b.csv")
    for bid, ask, sentence in (
        ("ask", "bid", "give them the other way round"),
        ("mid", "ask", "a.csv quotes the middle"),
        ("bid", "bid", "b.csv quotes the bid; give the file with the asks"),
    ):
        with pytest.raises(BadRequest, match=sentence):
            check_pair(bid, ask, "a.csv", "b.csv")


def pair(rows: int = 200):
    """A file of bids, and one of asks that are 0.00010 to 0.00016 higher at open, high, low and close."""
    bid = raw_of(fx_bars("2024-07-08", "2024-07-10").iloc[:rows])
    over = dict(open=0.00010, high=0.00012, low=0.00014, close=0.00016)
    return bid, replace(bid, **{name: np.round(getattr(bid, name) + more, 5) for name, more in over.items()})


def test_the_spread_is_the_mean_of_ask_minus_bid():
    bid, ask = pair()
    joined = join_ask(bid, ask)
    assert (
        joined.spread == pytest.approx([0.00013] * 200, abs=1e-12)
        and joined.open.tolist() == bid.open.tolist()
        and joined.local_ns.tolist() == bid.local_ns.tolist()
    )
    assert any("mean of ask minus bid" in note for note in joined.notes) and not any(
        "without" in note for note in joined.notes
    )


def test_rows_without_their_like_are_counted_and_stated():
    bid, ask = pair()
    fewer = replace(
        ask,
        **{
            name: np.delete(getattr(ask, name), [3, 7]) for name in ("local_ns", "open", "high", "low", "close", "line")
        },
    )
    fewer = replace(fewer, local_ns=np.where(np.arange(198) == 50, ns("2024-07-07T00:00"), fewer.local_ns))
    joined = join_ask(bid, fewer)
    assert np.flatnonzero(np.isnan(joined.spread)).tolist() == [3, 7, 52] and len(joined) == 200
    assert (
        "3 bids without an ask of the same time: their spread is unknown" in joined.notes
        and "1 ask without a bid of the same time: not read" in joined.notes
    )


def test_an_ask_below_its_bid_is_a_finding_and_no_spread():
    bid, ask = pair()
    low = ask.low.copy()
    low[10] = bid.low[10] - 0.0003
    bars, report = repair(join_ask(bid, replace(ask, low=low)), EURUSD, M5, "UTC", ns("2025-01-01"))
    assert (
        report["spread"].count == 1
        and report.verdict == "repairable"
        and np.isnan(bars["spread"][10])
        and "the ask is below the bid in 1 row" in report.notes
    )
    assert np.isnan(bars["spread"]).sum() == 1


def test_equal_prices_that_differ_by_rounding_are_no_crossed_quote():
    bid, _ = pair()
    joined = join_ask(
        bid, replace(bid, **{name: getattr(bid, name) * (1 - 1e-15) for name in ("open", "high", "low", "close")})
    )
    assert joined.spread.tolist() == [0.0] * 200 and not any("below" in note for note in joined.notes)


def test_files_of_other_bars_or_clocks_are_refused():
    bid, ask = pair()
    with pytest.raises(BadRequest, match="of 200 bids and 200 asks only 0 have the same time"):
        join_ask(bid, replace(ask, local_ns=ask.local_ns + 1))
    with pytest.raises(
        BadRequest,
        match="the times of the bids are on a clock that the file does not name and those of the asks on the clock UTC",
    ):
        join_ask(bid, replace(ask, clock="UTC"))


def test_a_repeated_time_takes_the_ask_of_its_turn():
    bid, ask = (
        replace(
            raw,
            **{
                name: np.repeat(getattr(raw, name)[:10], 2)
                for name in ("local_ns", "open", "high", "low", "close", "line")
            },
        )
        for raw in pair()
    )
    higher = replace(ask, close=ask.close + np.tile([0.0, 0.0004], 10))
    assert join_ask(bid, higher).spread == pytest.approx([0.00013, 0.00023] * 10)
