"""Where a session's bars come from, by the ``feed`` that its source names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.errors import BadRequest
from domain.live.market_series import SeriesName
from domain.live.plan import Plan
from domain.live.quotes import Standing
from domain.live.tape import TapeBar, bars_in, in_order
from domain.market.bars import ts_of
from domain.market.calendar import bar_ends
from worker.sessions.replay_feed import Lost, ReplayFeed, SessionFeed
from worker.settings import Settings
from worker.store import Store
from worker.store.frames import Frames


@dataclass(frozen=True)
class FeedRequest:
    """A session that needs its feed. ``standing``: where it stands, None before its first instant."""

    store: Store
    settings: Settings
    plan: Plan
    source: Mapping[str, Any]
    standing: Standing | None


class Source(Protocol):
    """One kind of feed."""

    def history(self, request: FeedRequest) -> Sequence[TapeBar]:
        """Bars before the first that is traded, in the order of the tape: what features see."""

    def open(self, request: FeedRequest) -> SessionFeed: ...


class Replay:
    """Stored tables of bars: ``{"feed": "replay", "frames": {series: content hash}, "speed": 0}``. ``lost``: of a series how many rows of its file could not be read, and the first of
    them."""

    def history(self, request: FeedRequest) -> Sequence[TapeBar]:
        start = request.plan.start
        return [] if start is None else in_order((bar for bars in self._bars(request).values() for bar in bars if bar.ts < start), request.plan.series)

    def open(self, request: FeedRequest) -> SessionFeed:
        start = request.plan.start
        bars = {series: [bar for bar in every if start is None or bar.ts >= start] for series, every in self._bars(request).items()}
        lost = [Lost(series, count, tuple(lines)) for series, (count, lines) in request.source.get("lost", {}).items()]
        return ReplayFeed(bars, request.standing.worked if request.standing else -1, float(request.source.get("speed", 0.0)), lost=lost)

    def _bars(self, request: FeedRequest) -> dict[str, list[TapeBar]]:
        frames = request.source.get("frames", {})
        if missing := [series for series in request.plan.series if series not in frames]:
            raise BadRequest(f"the session names no stored bars for {', '.join(missing)}; give a table for each of its series")
        return {series: stored_bars(request.store.frames, request.plan, series, frames[series]) for series in request.plan.series}


def stored_bars(frames: Frames, plan: Plan, series: str, frame: str) -> list[TapeBar]:
    """A stored table as bars of a tape; they end as its column ``end`` says, else by timeframe and calendar."""
    table, name = frames.get(frame), SeriesName.read(series)
    ends = ts_of(table[["end"]].rename(columns={"end": "ts"})) if "end" in table else bar_ends(ts_of(table), name.timeframe, plan.instrument(series).calendar)
    return bars_in(series, table, ends)


SOURCES: dict[str, Source] = {"replay": Replay()}
