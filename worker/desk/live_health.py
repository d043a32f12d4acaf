"""How prices arrive and how brokers answer, of the open sessions on live prices or at a broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.desk.health import Health
from worker.store import Unit
from worker.store.sessions import TradingSession

OPEN, LIVE = ("ready", "running"), ("oanda", "mt5")
WORDS = {"away": "does not answer", "differs": "differs from the session"}


def live_health(unit: Unit) -> list[Health]:
    """The parts *Feeds* and *Broker*."""
    feeds, brokers = [], []
    for session in unit.sessions.all(OPEN):
        state = unit.sessions.progress(session.name)
        if session.source.get("feed") in LIVE:
            feeds.append(_feed(unit, session, state.feed if state else {}))
        if session.broker != "paper":
            brokers.append(_broker(session, (state.view if state else {}).get("broker") or {}))
    return [_part("Feeds", feeds, "no open session on live prices"), _part("Broker", brokers, "no open session at a broker")]


def _feed(unit: Unit, session: TradingSession, feed: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether prices arrived, and how old that of the instrument is that has been silent the longest."""
    newest = feed.get("newest") or {}
    if not newest:
        return False, f"{session.name}: no price from {session.source['feed']} yet"
    age = max(unit.now().timestamp() - min(newest.values()), 0.0)
    return not feed.get("away"), f"{session.name}: price of {session.source['feed']} {age:,.0f} s old"


def _broker(session: TradingSession, seen: Mapping[str, Any]) -> tuple[bool, str]:
    state = str(seen.get("state", "away"))
    return not state, f"{session.name}: {session.broker} {WORDS.get(state, 'agrees')}"


def _part(name: str, entries: list[tuple[bool, str]], nothing: str) -> Health:
    """
    >>> _part("Feeds", [], "no open session"), _part("Broker", [(True, "a: oanda agrees"), (False, "b: oanda does not answer")], "")
    (Health(part='Feeds', state='well', note='no open session'), Health(part='Broker', state='warning', note='b: oanda does not answer; a: oanda agrees'))
    """
    ordered = sorted(entries, key=lambda entry: entry[0])[:10]
    return Health(name, "well" if all(well for well, _ in entries) else "warning", "; ".join(note for _, note in ordered) or nothing)
