"""What stands round an account at a broker: the loss limits on its equity, and alarms, each raised once and cleared once.

A look that failed concludes nothing: limits and alarms stay as they were.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from domain.live.loss_limits import Use
from domain.live.plan import Plan
from worker.sessions.broker_seen import BrokerNews, BrokerSeen, BrokerWatch, LimitHalt
from worker.sessions.events import Happened
from worker.sessions.floor_watch import FloorWatch, standing
from worker.sessions.losses import EquityLosses
from worker.store.messages import Message
from worker.store.session_asking import entity

AGAIN = 60_000_000_000                      # nanoseconds between two askings for one halt
Alarms = dict[str, tuple[str, str]]         # key -> severity, sentence


def watch_of(name: str, plan: Plan, kept: Mapping[str, Any], floors: FloorWatch | None = None) -> BrokerWatch:
    """The watch of a session. ``kept``: as it was stored, empty for a new one; ``floors``: of the rule set that it was started with."""
    return AccountWatch(name, plan, kept, floors)


class AccountWatch:
    def __init__(self, name: str, plan: Plan, kept: Mapping[str, Any], floors: FloorWatch | None = None) -> None:
        self._name, self._flatten, self._floors = name, plan.account_rules.limits.flatten, floors
        self._losses = EquityLosses(name, plan, None, kept.get("losses", ()), "broker")
        self._halted_at: dict[str, int] = dict(kept.get("halted", {}))          # limit -> when its halt was requested last
        self._raised: dict[str, str] = dict(kept.get("raised", {}))         # alarm -> its sentence
        self._away = int(kept.get("away", 0))                               # looks in a row that failed

    @property
    def kept(self) -> Mapping[str, Any]:
        return dict(losses=self._losses.kept, halted=dict(self._halted_at), raised=dict(self._raised), away=self._away)

    @property
    def floors(self) -> Mapping[str, Any]:
        return self._floors.kept if self._floors else {}

    def look(self, seen: BrokerSeen, halted: Collection[str] = ()) -> BrokerNews:
        self._away = self._away + 1 if seen.state == "away" else 0
        if self._away:
            return self._news(seen, {**self._standing(), **(_away(seen) if self._away > 1 else {})})
        uses, messages = self._losses.look(seen.at, float(seen.account.equity)) if seen.account else ((), [])
        if seen.account and self._floors:
            messages += self._floors.look(standing(seen.at, float(seen.account.balance), float(seen.account.equity)))
        halts = [self._halt(use, seen.at) for use in uses if use.reached and use.limit not in halted and seen.at >= self._halted_at.get(use.limit, -AGAIN) + AGAIN]
        news = self._news(seen, _alarms(seen))
        reached = [Happened("limit_reached", (entity(self._name),), dict(limit=halt.limit, text=halt.reason)) for halt in halts]
        return BrokerNews((*messages, *news.messages), (*reached, *news.events), halts)

    # -- limits

    def _halt(self, use: Use, at: int) -> LimitHalt:
        """Requested again where it did not last: the account's day may begin anew, with the first bar that ends in it, after the limit was reached."""
        self._halted_at[use.limit] = at
        lasts = "the next day" if use.limit == "daily_loss" else "the end of the session"
        reason = f"the broker's equity has reached its {use.title} limit, {use.floor:,.2f}: no entries until {lasts}"
        return LimitHalt(use.limit, reason, not self._flatten, f"limit:{use.limit}:{at}")

    # -- alarms

    def _standing(self) -> Alarms:
        """Those that are raised, while nothing new is known of them."""
        return {key: ("", sentence) for key, sentence in self._raised.items() if key != "away"}

    def _news(self, seen: BrokerSeen, alarms: Alarms) -> BrokerNews:
        """What is new of them, and what is over."""
        new = {key: alarm for key, alarm in alarms.items() if key not in self._raised}
        over = {key: sentence for key, sentence in self._raised.items() if key not in alarms}
        self._raised = {key: self._raised.get(key, sentence) for key, (_, sentence) in alarms.items()}
        events = [self._event("alarm_raised", key, text) for key, (_, text) in new.items()] + [self._event("alarm_cleared", key, text) for key, text in over.items()]
        messages = [self._message(seen, f"raised:{key}", severity, text) for key, (severity, text) in new.items()]
        messages += [self._message(seen, f"cleared:{key}", "info", f"no longer: {text}") for key, text in over.items()]
        return BrokerNews(messages, events)

    def _event(self, kind: str, key: str, text: str) -> Happened:
        return Happened(kind, (entity(self._name),), dict(alarm=key, text=text))

    def _message(self, seen: BrokerSeen, key: str, severity: str, text: str) -> Message:
        return Message(f"{self._name}:{key[:80]}:{seen.at}", severity, f"{self._name}: {text}", self._name)


def _away(seen: BrokerSeen) -> Alarms:
    return {"away": ("warning", f"the broker's book is not known, so no order is sent: {seen.trouble}")}


def _alarms(seen: BrokerSeen) -> Alarms:
    """Every alarm of a look that succeeded, by a key that stays while the alarm does."""
    return {key: ("critical", sentence) for key, sentence in _sentences(seen)}


def _sentences(seen: BrokerSeen) -> Iterator[tuple[str, str]]:
    for row in seen.unprotected:
        yield f"unprotected:{row['position_id']}", f"position {row['position_id']} of {row['instrument']}, {row['lots']} lots, has no stop at the broker"
    for row in seen.differences:
        yield f"differs:{row['client_id']}", f"{row['sentence']}. No entries until then"
    for row in seen.unknown:
        yield f"unknown:{row['client_id']}", str(row["sentence"])
    bare = [f"position {row['position_id']} " for row in seen.unprotected]
    known = {row["sentence"] for row in seen.unknown}
    for sentence in seen.alarms:
        if sentence not in known and not any(sentence.startswith(start) for start in bare):
            yield f"other:{sentence}", sentence
