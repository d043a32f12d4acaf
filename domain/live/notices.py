"""What a session tells people: fills, errors, use of the daily loss, nearness to a floor, states, connection, divergence.

Pure: each function gives the notices of one event, under a key that names it, so that the same event tells it once however often it is worked again.
Whoever commits the event writes them with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from domain.errors import readable

INFO, WARNING, CRITICAL = "info", "warning", "critical"
LOSS_LEVELS = {0.5: WARNING, 0.8: WARNING, 1.0: CRITICAL}       # share of the daily loss limit that is used -> severity
FLOOR_LEVELS = {0.2: WARNING, 0.1: CRITICAL, 0.0: CRITICAL}     # share of the way to the floor that is left -> severity
STATES = {"halted": CRITICAL, "differs": CRITICAL, "error": CRITICAL, "failed": CRITICAL, "paused": WARNING, "waiting": WARNING}      # else info


@dataclass(frozen=True)
class Notice:
    """``key`` names the event; ``kind``: fill, error, daily_loss, floor, state, connection, divergence."""

    key: str
    kind: str
    severity: str
    text: str


def fill(session: str, row: Mapping[str, Any]) -> Notice:
    """Of a row of fills.csv, by its ``fill_id``.

    >>> fill("gold", dict(fill_id=3, ts=0, instrument="XAUUSD", side="buy", lots=0.1, price=1900.5, reason="market")).text
    'gold: buy 0.1 XAUUSD at 1900.5 (market), 1970-01-01 00:00:00 UTC.'
    """
    what = f"{row['side']} {row['lots']:g} {row['instrument']} at {float(row['price'])!r} ({row['reason']})"
    return _notice(session, "fill", str(row["fill_id"]), INFO, f"{what}, {_time(row['ts'])}")


def daily_loss(session: str, day: str, before: float, now: float) -> list[Notice]:
    """The highest level among 50, 80 and 100 % that the used share of the daily loss limit has newly reached. ``before``: the day's highest so far.

    >>> [notice.text for notice in daily_loss("gold", "2026-08-03", 0.4, 0.85)]
    ['gold: 85 % of the daily loss limit is used (80 % reached), 2026-08-03.']
    >>> daily_loss("gold", "2026-08-03", 0.85, 0.84)
    []
    """
    reached = [level for level in LOSS_LEVELS if before < level <= now]
    return [_level(session, "daily_loss", day, max(reached), LOSS_LEVELS, f"{now:.0%}".replace("%", " %") + " of the daily loss limit is used")] if reached else []


def floor(session: str, rule: str, day: str, before: float, now: float) -> list[Notice]:
    """The nearest level among 20, 10 and 0 % of the way to a rule's floor that is newly left. ``before``: the day's least so far; both as shares of the whole way.

    >>> [notice.severity for notice in floor("gold", "max_drawdown", "2026-08-03", 0.5, 0.09)]
    ['critical']
    """
    reached = [level for level in FLOOR_LEVELS if now <= level < before]
    if not reached:
        return []
    level = min(reached)
    text = f"{rule}: {max(now, 0.0):.0%} of the way to its floor is left, {day}".replace("%", " %")
    return [_notice(session, "floor", f"{rule}:{day}:{level:g}", FLOOR_LEVELS[level], text)]


def state(session: str, entered: str, at: int, reason: str = "") -> Notice:
    """Of a state that the session entered at ``at``, nanoseconds UTC.

    >>> state("gold", "paused", 0, "by ana").text
    'gold: paused (by ana), 1970-01-01 00:00:00 UTC.'
    """
    why = f" ({readable(reason).rstrip('.')})" if reason else ""
    return _notice(session, "state", f"{entered}:{at}", STATES.get(entered, INFO), f"{entered}{why}, {_time(at)}")


def connection(session: str, feed: str, away: bool, at: int, reason: str = "") -> Notice:
    """Of a feed or broker that went away, or is back."""
    why = f" ({readable(reason).rstrip('.')})" if reason else ""
    word = "away" if away else "back"
    return _notice(session, "connection", f"{feed}:{word}:{at}", WARNING if away else INFO, f"{feed} is {word}{why}, {_time(at)}")


def error(session: str, at: int, sentence: str) -> Notice:
    """Of an error that stopped a session, or a task of it."""
    return _notice(session, "error", str(at), CRITICAL, f"{readable(sentence).rstrip('.')}, {_time(at)}")


def divergence(session: str, checked: str, sentence: str, severity: str = CRITICAL) -> Notice:
    """Of a session that parts from the backtest of its tape. ``checked``: what names the check, such as its day."""
    return _notice(session, "divergence", checked, severity, sentence)


def _level(session: str, kind: str, day: str, level: float, levels: Mapping[float, str], text: str) -> Notice:
    return _notice(session, kind, f"{day}:{level:g}", levels[level], f"{text} ({level:.0%} reached), {day}".replace("%", " %").replace("  %", " %"))


def _notice(session: str, kind: str, event: str, severity: str, text: str) -> Notice:
    return Notice(f"{session}:{kind}:{event}", kind, severity, f"{session}: {text.rstrip('.')}.")


def _time(at: Any) -> str:
    """
    >>> _time(pd.Timestamp("2026-08-03T10:00Z")), _time(0)
    ('2026-08-03 10:00:00 UTC', '1970-01-01 00:00:00 UTC')
    """
    stamp = at if isinstance(at, pd.Timestamp) else pd.Timestamp(int(at), unit="ns", tz="UTC")
    return f"{stamp:%Y-%m-%d %H:%M:%S} UTC"
