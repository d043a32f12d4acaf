"""The floors of the rule set that a session was started with, reported to people at half, at four fifths and at all of their allowance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from domain.live.floors import Floor, Floors
from domain.live.plan import Plan
from worker.sessions.levels import Levels
from worker.store.messages import Message

DAILY = "daily_loss"        # what the columns of such rules begin with


class FloorWatch:
    """``given``: the rule set as the session's source has it, with its text. ``rows``: of the equity curve so far; ``reached``: what was reported to people."""

    def __init__(self, name: str, plan: Plan, given: Mapping[str, Any], rows: Iterable[Mapping[str, Any]] = (), levels: Mapping[str, float] | None = None) -> None:
        self._name, self._rule_set, self._levels = name, str(given["name"]), Levels(levels)
        account = plan.rules.account
        self._floors = Floors.read(given, account.balance, account.currency, plan.instruments, rows)
        self.shown = [_plain(floor) for floor in self._floors.last]

    @property
    def reached(self) -> Mapping[str, float]:
        return dict(self._levels.reached)

    @property
    def kept(self) -> dict[str, Any]:
        """What stands in the session's view: the floors as they are, and what was reported of them."""
        return dict(floors=self.shown, floors_reported=self.reached)

    def look(self, row: Mapping[str, Any]) -> list[Message]:
        """What is to be reported at this row; a new day begins the level of a daily loss anew."""
        before = self._floors.day
        floors = self._floors.look(row)
        if self._floors.day != before:
            for rule in [rule for rule in self._levels.reached if rule.startswith(DAILY)]:
                self._levels.forget(rule)
        if floors:
            self.shown = [_plain(floor) for floor in floors]
        return [message for floor in floors if (message := self._message(floor)) is not None]

    def _message(self, floor: Floor) -> Message | None:
        if floor.used <= 0:
            self._levels.forget(floor.rule)
        passed = self._levels.passed(floor.rule, max(floor.used, 1.0) if floor.reached else min(floor.used, 0.999_999))
        if passed is None:
            return None
        left = f"{floor.left:,.2f} left" if floor.left >= 0 else f"{-floor.left:,.2f} below it"
        text = f"{self._name} has used {100 * floor.used:.0f} % of the way to a floor of {self._rule_set}: {floor.clause}; the floor is {floor.floor:,.2f}, {left}"
        return Message(f"{self._name}:floor:{floor.rule}:{passed[0]}:{self._floors.day}", passed[1], text, self._name)


def _plain(floor: Floor) -> dict[str, Any]:
    return dict(rule=floor.rule, clause=floor.clause, floor=floor.floor, left=floor.left, used=max(floor.used, 0.0))


def floors_of(name: str, plan: Plan, source: Mapping[str, Any], view: Mapping[str, Any], rows: Callable[[], Iterable[Mapping[str, Any]]]) -> FloorWatch | None:
    """That of a session as it was stored; None where its source names no rule set. ``rows``: of the equity under which the floors lie, so far."""
    given = source.get("rule_set")
    return FloorWatch(name, plan, given, rows(), view.get("floors_reported", view.get("floors_told"))) if given else None


def standings(bookings: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The account at a broker as rows of an equity curve, from what the broker said on record."""
    for each in bookings:
        if each["standing"] is not None:
            yield standing(each["at"], *each["standing"])


def standing(ts: int, balance: float, equity: float) -> dict[str, Any]:
    """
    >>> standing(5, 10.0, 9.5)
    {'ts': 5, 'balance': 10.0, 'equity': 9.5, 'equity_low': 9.5}
    """
    return dict(ts=ts, balance=balance, equity=equity, equity_low=equity)
