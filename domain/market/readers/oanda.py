"""OANDA's candles as JSON, as ``/v3/instruments/…/candles`` answers: bid and ask (price=BA), or the middle (price=M).

``candles`` is a list of objects with time (RFC 3339 or seconds since 1970), volume (number of prices), complete, and o, h, l, c under bid, ask or
mid. Bid and ask become bars of the bid with the spread; the middle alone stays the middle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import BadRequest, listed
from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.json_bars import bars_of, document_of, moment, number, objects, preview_of, within
from domain.market.readers.quotes import with_spread
from domain.market.readers.sample import instrument_in, step_sentence
from domain.market.zones import SECOND

HEAD = re.compile(rb'"candles"\s*:\s*\[')
OWN = re.compile(rb'"granularity"\s*:|"(?:bid|ask|mid)"\s*:\s*\{')
TIMEFRAMES = {"M1": "M1", "M5": "M5", "M15": "M15", "M30": "M30", "H1": "H1", "H4": "H4", "D": "D1"}
SECONDS = re.compile(r"\d{9,11}(\.\d{1,9})?")


class Oanda(Reader):
    """Times are UTC. A candle that is not complete is left out: it would change."""

    key = "oanda"
    title = "OANDA candles (JSON)"
    family = "OANDA (JSON)"
    whole = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        if head.lstrip()[:1] not in (b"{", b"[") or not (HEAD.search(head) or b"_instrument_candles" in head) or not OWN.search(head):
            return None
        return Recognised(self.key, self.title, instrument_in(name), None, "UTC", None, "OANDA's candles")

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        answer = _answer(path, max_bytes)
        side, raw = _side(answer), _bars(answer, path)
        symbol = str(answer.get("instrument", ""))
        evidence = f"{symbol or 'no instrument given'}, {_quoted(side)}; {step_sentence(raw.local_ns.tolist())}"
        instrument = instrument_in(symbol) if symbol else recognised.instrument
        return replace(recognised, instrument=instrument, timeframe=_timeframe(answer, path), side=side, evidence=evidence, preview=preview_of(raw))

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        raw = _bars(_answer(path, limits.max_bytes), path)
        within(path, len(raw), limits)
        progress(1.0, f"{len(raw):,} rows read")
        return raw


def _answer(path: Path, max_bytes: int) -> Mapping[str, Any]:
    """The one answer with candles in a document: the whole of it, or one of several recorded ones; pages of one series are joined."""
    answers = [part for part in objects(document_of(path, max_bytes)) if isinstance(part.get("candles"), list)]
    kinds = list(dict.fromkeys(f"{part.get('instrument')} {part.get('granularity')}" for part in answers))
    if not answers:
        raise BadRequest(f"{path.name} holds no candles; save the answer of /v3/instruments/EUR_USD/candles")
    if len(kinds) > 1:
        raise BadRequest(f"{path.name} holds candles of {listed(kinds)}; save one instrument and granularity a file")
    return {**answers[0], "candles": [candle for part in answers for candle in part["candles"]]}


def _timeframe(answer: Mapping[str, Any], path: Path) -> str | None:
    granularity = answer.get("granularity")
    if granularity is not None and str(granularity) not in TIMEFRAMES:
        raise BadRequest(f"{path.name} holds candles of {str(granularity)[:20]}; the timeframes are {', '.join(TIMEFRAMES)}: ask OANDA for one of them")
    return TIMEFRAMES.get(str(granularity))


def _side(answer: Mapping[str, Any]) -> str:
    """Which prices every candle has: bid with ask or alone, else the middle, else the ask."""
    candles = [candle for candle in answer["candles"] if isinstance(candle, dict)]
    return next((side for side in ("bid", "mid", "ask") if candles and all(side in candle for candle in candles)), "mid")


def _quoted(side: str) -> str:
    return {"bid": "prices of the bid", "mid": "prices of the middle", "ask": "prices of the ask"}[side]


def _bars(answer: Mapping[str, Any], path: Path) -> RawBars:
    side = _side(answer)
    both = side == "bid" and all(isinstance(candle, dict) and "ask" in candle for candle in answer["candles"])
    sides = ("bid", "ask") if both else (side,)
    rows, bad, unfinished = [], [], 0
    for place, candle in enumerate(answer["candles"], 1):
        if isinstance(candle, dict) and candle.get("complete") is False:
            unfinished += 1
            continue
        try:
            rows.append((place, *_row(candle, sides)))
        except ValueError as error:
            bad.append((place, candle, str(error)))
    if not rows:
        why = f": {bad[0][2]}" if bad else ", only unfinished ones" if unfinished else ""
        raise BadRequest(f"{path.name} holds no complete candle{why}; request a longer period from OANDA")
    columns = (*PRICES, "volume", *(f"ask_{name}" for name in PRICES)) if both else (*PRICES, "volume")
    notes = [f"{unfinished:,} candle{' was' if unfinished == 1 else 's were'} not complete and {'is' if unfinished == 1 else 'are'} left out"] if unfinished else []
    raw = bars_of(rows, bad, columns, notes)
    return with_spread(raw, _asks(rows)) if both else raw


def _asks(rows: Sequence[tuple[Any, ...]]) -> dict[str, np.ndarray]:
    table = np.array([row[-len(PRICES) :] for row in rows], np.float64)
    return {name: table[:, at] for at, name in enumerate(PRICES)}


def _row(candle: Any, sides: Sequence[str]) -> tuple[Any, ...]:
    if not isinstance(candle, dict):
        raise ValueError("it is no object")
    prices = []
    for side in sides:
        quoted = candle.get(side)
        if not isinstance(quoted, dict):
            raise ValueError(f"it has no {side}")
        prices.append([number(quoted.get(letter)) for letter in "ohlc"])
    return (_time(candle.get("time")), *prices[0], number(candle.get("volume", float("nan"))), *[price for more in prices[1:] for price in more])


def _time(value: Any) -> int:
    """
    >>> _time("2016-10-17T19:35:00.000000000Z") == _time("1476732900.000000000")
    True
    """
    text = str(value)
    if SECONDS.fullmatch(text):
        return moment(text, SECOND)
    stamp = stamps.parse_one(text, stamps.ISO)
    if not stamp.aware:
        raise ValueError(f"its time {text[:40]!r} has no zone")
    return stamp.ns


READERS.add(Oanda.key, Oanda())
