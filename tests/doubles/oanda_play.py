"""A recorded day as OANDA would send it: ticks by their own time, N times as fast, a heartbeat every 5 s of it, candles of what has come by then, and cuts.

Run by itself it plays the ticks of the folder that TIDEMARK_DATA names: ``python -m tests.doubles.oanda_play --speed 60``.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
import zipfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from domain.live.slots import Slots
from domain.market.timeframe import Timeframe
from tests.doubles.oanda_account import INSTRUMENTS, Json

SECOND = 1_000_000_000
BEAT = 5 * SECOND
LATE = 30 * SECOND          # after its end a candle is complete, or with the next one's first tick
Tick = tuple[int, str, str]                         # nanoseconds UTC, bid, ask
RECORDED = {"EUR_USD": "forex_oanda/tick/eurusd", "XAU_USD": "cfd_oanda/tick/xauusd"}
CALENDARS = {"EUR_USD": "fx", "USD_JPY": "fx", "XAU_USD": "metal"}


class Play:
    """``ticks`` by symbol, in order; ``start``: the vendor's time at which it begins; ``speed``: times real time. ``cuts``: from and to, vendor's time:
    streams end and nothing is answered."""

    def __init__(self, ticks: Mapping[str, Sequence[Tick]], start: int, speed: float = 1.0, cuts: Sequence[tuple[int, int]] = (), monotonic: Callable[[], float] = time.monotonic) -> None:
        self.ticks, self.start, self.speed, self.cuts = dict(ticks), start, speed, tuple(cuts)
        self._times = {name: [tick[0] for tick in rows] for name, rows in self.ticks.items()}
        self._monotonic, self._began = monotonic, monotonic()
        self._candles: dict[tuple[str, str], tuple[list[tuple[int, int]], list[list[int]]]] = {}
        self.ended = threading.Event()

    @property
    def now(self) -> int:
        return self.start + int((self._monotonic() - self._began) * self.speed * SECOND)

    @property
    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.now // 1000 / 1e6, UTC)

    @property
    def away(self) -> bool:
        now = self.now
        return any(low <= now < high for low, high in self.cuts)

    def lines(self, names: Sequence[str], over: threading.Event) -> Iterator[Json]:
        """A stream: the last price of each first, then what comes, until a cut."""
        at = self.now
        yield {"type": "HEARTBEAT", "time": text_of(at)}
        for name in names:
            if row := bisect_left(self._times.get(name, []), at):
                yield price_of(name, self.ticks[name][row - 1])
        reported, beat = {name: bisect_left(self._times.get(name, []), at) for name in names}, at + BEAT
        while not over.wait(0.005):
            until = min((low for low, _ in self.cuts if low > at), default=None)
            now = self.now if until is None else min(self.now, until)
            yield from sorted(self._since(reported, now), key=lambda line: line["time"])
            while beat <= now:
                yield {"type": "HEARTBEAT", "time": text_of(beat)}
                beat += BEAT
            if until is not None and now >= until:
                return

    def _since(self, reported: dict[str, int], now: int) -> Iterator[Json]:
        for name in reported:
            upto = bisect_left(self._times.get(name, []), now)
            for row in range(reported[name], upto):
                yield price_of(name, self.ticks[name][row])
            reported[name] = upto

    def candles(self, name: str, query: Mapping[str, str]) -> tuple[int, Json]:
        """GET instruments/…/candles, by ``from`` and ``count``."""
        now, start, granularity = self.now, int(query["from"]) * SECOND, query["granularity"]
        slots, rows = self._slots(name, granularity)
        shown = []
        for (begins, ends), (first, last) in zip(slots, rows, strict=True):
            if begins < start or self._times[name][first] >= now or len(shown) >= int(query["count"]):
                continue
            upto = min(last, bisect_left(self._times[name], now))
            complete = now >= ends + LATE or (now >= ends and any(ends <= at < now for at in self._times[name][last : last + 1]))
            shown.append({"time": text_of(begins), "complete": complete, **candle_of(self.ticks[name][first:upto])})
        return 200, {"instrument": name, "granularity": granularity, "candles": shown}

    def _slots(self, name: str, granularity: str) -> tuple[list[tuple[int, int]], list[list[int]]]:
        """Every slot with a tick, and its first and last tick."""
        if (name, granularity) not in self._candles:
            of, result = Slots(Timeframe.named(granularity.replace("D", "D1")), CALENDARS[name]), dict[tuple[int, int], list[int]]()
            for row, at in enumerate(self._times.get(name, [])):
                result.setdefault(of.of(at), [row, row])[1] = row + 1
            self._candles[name, granularity] = list(result), list(result.values())
        return self._candles[name, granularity]


def price_of(name: str, tick: Tick) -> Json:
    at, bid, ask = tick
    return {"type": "PRICE", "instrument": name, "time": text_of(at), "status": "tradeable", "tradeable": True, "bids": [{"price": bid, "liquidity": 10000000}], "asks": [{"price": ask, "liquidity": 10000000}], "closeoutBid": bid, "closeoutAsk": ask}


def candle_of(ticks: Sequence[Tick]) -> Json:
    sides = {}
    for side, column in (("bid", 1), ("ask", 2)):
        prices = sorted((tick[column] for tick in ticks), key=float)
        sides[side] = {"o": ticks[0][column], "h": prices[-1], "l": prices[0], "c": ticks[-1][column]}
    return {"volume": len(ticks), **sides}


def text_of(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{ns % SECOND:09d}Z"


def recorded(folder: Path, name: str, day: str = "20140508") -> list[Tick]:
    """Ticks of a file in ``fx/lean`` of the data: milliseconds of the day, bid, ask."""
    midnight = int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * SECOND
    digits = INSTRUMENTS[name]["displayPrecision"]
    with zipfile.ZipFile(folder / "fx" / "lean" / RECORDED[name] / f"{day}_quote.zip") as archive:
        rows = archive.read(archive.namelist()[0]).decode().split()
    ticks = [(midnight + int(float(at) * 1_000_000), f"{float(bid):.{digits}f}", f"{float(ask):.{digits}f}") for at, bid, ask in (row.split(",")[:3] for row in rows)]
    return sorted(ticks, key=lambda tick: tick[0])


def main() -> None:
    from tests.doubles.oanda import Oanda

    words = argparse.ArgumentParser(description="OANDA's practice server playing a recorded day")
    words.add_argument("--speed", type=float, default=60.0)
    words.add_argument("--from", dest="start", default="2014-05-08T06:00:00")
    words.add_argument("--cut", action="append", default=[], help="minutes after the start and how many seconds, as in 30:40")
    words.add_argument("--port", type=int, default=0)
    given = words.parse_args()
    start = int(datetime.fromisoformat(given.start + "+00:00").timestamp()) * SECOND
    cuts = [(start + int(float(at) * 60 * SECOND), start + int((float(at) * 60 + float(long)) * SECOND)) for at, long in (cut.split(":") for cut in given.cut)]
    ticks = {name: recorded(Path(os.environ["TIDEMARK_DATA"]), name) for name in RECORDED}
    play = Play(ticks, start, given.speed, cuts)
    double = Oanda(lambda: play.clock, port=given.port, play=play)
    print(f"TIDEMARK_OANDA_URL={double.url} TIDEMARK_OANDA_TOKEN={double.token} TIDEMARK_OANDA_ACCOUNT={double.account.number}", flush=True)
    with suppress(KeyboardInterrupt):
        while not double.over.wait(1.0):
            pass
    double.close()


if __name__ == "__main__":
    main()
