"""Live feeds as sources of sessions: ``{"feed": "oanda"}`` and ``{"feed": "mt5"}``, one hub of each in a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import unknown
from domain.live.quotes import Feed
from domain.live.slots import watched
from domain.live.tape import TapeBar, in_order
from domain.market.quotes import Candle
from domain.venues.live import LiveVendor
from domain.venues.vendor import VENDORS
from worker.sessions.feed_hub import FeedHub
from worker.sessions.feeds import SOURCES, FeedRequest, Source
from worker.vendors import connection_to

HISTORY = 1_000             # earlier bars of each series, where its plan says from when on it trades
HUBS: dict[str, FeedHub] = {}


def _oanda(environment: Mapping[str, str]) -> LiveVendor:
    from domain.venues.oanda_live import OandaLive

    return OandaLive(lambda: connection_to(VENDORS["oanda"], environment))


def _metatrader(environment: Mapping[str, str]) -> LiveVendor:
    from domain.venues.metatrader_live import MetaTraderLive

    return MetaTraderLive(lambda: connection_to(VENDORS["metatrader"], environment))


@dataclass(frozen=True)
class LiveSource:
    """A feed that is made of quotes as they come. History: the vendor's candles before ``plan.start``, where that is given."""

    name: str
    title: str              # of the vendor, among all vendors
    vendor: Callable[[Mapping[str, str]], LiveVendor]

    def history(self, request: FeedRequest) -> Sequence[TapeBar]:
        if request.plan.start is None:
            return []
        count = int(request.source.get("history", HISTORY))
        candles = self.hub(request).history(request.plan.series, request.plan.start, count)
        bars = [bar for each in watched(request.plan.series, request.plan.instruments) for bar in bars_of(each.series, each.slots.of, candles[each.series])[-count:]]
        return in_order(bars, request.plan.series)

    def open(self, request: FeedRequest) -> Feed:
        return self.hub(request).open(request.plan.series, request.standing, request.plan.instruments)

    def require(self, environment: Mapping[str, str]) -> None:
        """BadRequest where this machine cannot reach the vendor: before a session is made."""
        VENDORS[self.title].require(environment)

    def hub(self, request: FeedRequest) -> FeedHub:
        """The one of this process."""
        if self.name not in HUBS:
            HUBS[self.name] = FeedHub(self.vendor(request.settings.vendors))
        return HUBS[self.name]


LIVE = {each.name: each for each in (LiveSource("oanda", "oanda", _oanda), LiveSource("mt5", "metatrader", _metatrader))}


def source_of(source: Mapping[str, Any]) -> Source:
    """What a session's source names: a live feed, or stored bars."""
    name, known = str(source.get("feed", "")), {**SOURCES, **LIVE}
    if name not in known:
        raise unknown("feed", name, known)
    return known[name]


def bars_of(series: str, slot: Callable[[int], tuple[int, int]], candles: Sequence[Candle]) -> list[TapeBar]:
    """Complete candles as bars that a session has seen."""
    return [TapeBar(series, bar.start, slot(bar.start)[1], bar.open, bar.high, bar.low, bar.close, bar.volume, bar.spread, True) for bar in candles if bar.complete]
