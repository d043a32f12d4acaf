"""How the feeds of a runner's sessions are, between instants: for the page, and as messages where one goes, comes back, or gives no prices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.sessions.events import ACTOR
from worker.sessions.work import SessionWork
from worker.store import Store, Unit
from worker.store.messages import Message
from worker.store.session_asking import entity


@dataclass(slots=True)
class Changed:
    """The feed of a session and how it was before, None where it is new."""

    work: SessionWork
    before: Mapping[str, Any] | None
    now: Mapping[str, Any]


class FeedWatch:
    """Written where it has changed; a replay as fast as possible has nothing to show."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._shown: dict[str, Mapping[str, Any]] = {}

    def step(self, store: Store, works: Sequence[SessionWork]) -> None:
        before = {work.name: self._shown.get(work.name) or work.feed_before or None for work in works}
        now = {work.name: Changed(work, before[work.name], self.shown(work, before[work.name])) for work in works if not getattr(work.feed, "eager", False)}
        changed = [each for each in now.values() if each.before != each.now]
        if changed:
            with store.unit() as unit:
                unit.sessions.show_all({each.work.name: each.now for each in changed})
                for each in changed:
                    self._tell(unit, each)
        self._shown = {name: each.now for name, each in now.items()}

    def shown(self, work: SessionWork, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the page reads it. ``newest``: when each instrument's last price came, seconds since 1970; ``silent``: instruments with a position and without a price; ``bars``: open, high, low and close so far."""
        state, at = work.feed.state(), self._clock()
        earlier = before["newest"] if before else {}
        newest = {name: _steady(round(at - age), earlier.get(name)) for name, age in state.ages.items() if age < 1e9}
        bars = {bar.series: [bar.open, bar.high, bar.low, bar.close] for bar in work.feed.shown()}
        silent = [name for name in work.exposed if work.feed.silent([name])]
        return dict(away=state.away, clock=state.clock, newest=newest, dropped=dict(state.dropped), remarks=list(state.remarks), silent=silent, bars=bars)

    def _tell(self, unit: Unit, changed: Changed) -> None:
        name, before = changed.work.name, changed.before or dict(away="", silent=[])
        for number, (kind, severity, text) in enumerate(_news(before, changed.now, changed.work.feed.silent)):
            unit.audit(ACTOR, kind, entity(name), text=text)
            unit.messages.write([Message(f"{name}:{kind}:{round(self._clock() * 1_000)}:{number}", severity, f"{name}: {text}", name)], unit.now())


def _steady(second: int, before: int | None) -> int:
    """A time that is rounded to another second than before is no other time."""
    return before if before is not None and abs(second - before) <= 1 else second


def _news(before: Mapping[str, Any], now: Mapping[str, Any], silent: Callable[[Iterable[str]], tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    """
    >>> list(_news(dict(away="cut", silent=[]), dict(away="", silent=["EURUSD"]), lambda names: tuple(f"{name} has no price" for name in names)))
    [('feed_back', 'info', 'the feed is back'), ('feed_silent', 'critical', 'EURUSD has no price')]
    """
    if now["away"] and not before["away"]:
        yield "feed_away", "warning", now["away"]
    if before["away"] and not now["away"]:
        yield "feed_back", "info", "the feed is back"
    yield from (("feed_silent", "critical", alarm) for alarm in silent([name for name in now["silent"] if name not in before["silent"]]))
    yield from (("feed_priced", "info", f"{name}: the alarm of missing prices is over") for name in before["silent"] if name not in now["silent"])
