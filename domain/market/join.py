"""Bid bars and ask bars of one instrument, from two files, made into bid bars with their spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.readers.base import BadLine, RawBars
from domain.market.readers.layout import SHOWN
from domain.market.readers.quotes import with_spread

LEAST = 0.5  # of the rows of either file must have their like in the other


def join_ask(bid: RawBars, ask: RawBars) -> RawBars:
    """The bid's bars with the mean of ask minus bid as their spread.

    Rows belong together by their time. A bid without an ask keeps an unknown spread, an ask without a bid is not read;
    both are counted and reported. Files of which less than half match are refused. An ask below its bid gives a negative
    spread, which is a finding.
    """
    if bid.clock != ask.clock:
        raise BadRequest(
            f"the times of the bids are {_clock(bid)} and those of the asks {_clock(ask)}; "
            "export both files the same way"
        )
    place = _places(bid.local_ns, ask.local_ns)
    matched = int((place >= 0).sum())
    if matched < LEAST * len(bid) or matched < LEAST * len(ask):
        raise BadRequest(
            f"of {len(bid):,} bids and {len(ask):,} asks only {matched:,} have the same time; "
            "give two files with the same bars"
        )
    asks = {name: np.where(place >= 0, getattr(ask, name)[place], np.nan) for name in PRICES}
    malformed = (*bid.malformed, *(BadLine(bad.line, bad.text, f"of the asks: {bad.reason}") for bad in ask.malformed))
    notes = (
        *bid.notes,
        *(note for note in ask.notes if note not in bid.notes),
        *_unmatched(len(bid) - matched, len(ask) - matched),
    )
    return with_spread(
        replace(
            bid, malformed=malformed[:SHOWN], malformed_count=bid.malformed_count + ask.malformed_count, notes=notes
        ),
        asks,
    )


def _clock(raw: RawBars) -> str:
    return f"on the clock {raw.clock}" if raw.clock else "on a clock that the file does not name"


def _unmatched(bids: int, asks: int) -> tuple[str, ...]:
    notes = (
        (f"{bids:,} bid{'' if bids == 1 else 's'} without an ask of the same time: their spread is unknown",)
        if bids
        else ()
    )
    return notes + (
        (f"{asks:,} ask{'' if asks == 1 else 's'} without a bid of the same time: not read",) if asks else ()
    )


def _places(bid_ns: np.ndarray, ask_ns: np.ndarray) -> np.ndarray:
    """For each bid the row of the ask of its time, the first with the first and the second with the second where a time
    is repeated; -1 for none.
    """
    bids, asks = (pd.Series(times) for times in (bid_ns, ask_ns))
    right = pd.DataFrame({"ts": asks, "nth": asks.groupby(asks).cumcount(), "row": np.arange(len(asks))})
    left = pd.DataFrame({"ts": bids, "nth": bids.groupby(bids).cumcount()})
    return left.merge(right, on=["ts", "nth"], how="left")["row"].fillna(-1).to_numpy().astype(np.int64)
