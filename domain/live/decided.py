"""What becomes of decisions: placed or proposed at their bar, and refused, reduced or expired later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.backtest.live_records import Fill, Review
from domain.compact import compact
from domain.live.plan import Plan
from domain.live.tape import TapeBar
from domain.live.worked import DECISIONS, Decision
from domain.trading.signal_row import Row

SIDES = {1: "long", -1: "short"}
KEPT = 20           # decisions in hand, the newest: of orders that wait, and of some that are gone without a word
Key = tuple[int, int]   # task, order_id


class Decisions:
    """The decisions of a session whose fate is open. ``numbers``: signals so far, by task."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.numbers = plan, [0] * len(plan.decided)
        self._open: dict[Key, Decision] = {}
        self._new: list[Key] = []
        self._text = ""                                         # as JSON, while nothing is decided
        self._proposals: tuple[dict[str, Any], ...] | None = ()

    def _changed(self) -> None:
        self._text, self._proposals = "", None

    def add(self, k: int, rows: Iterable[Row], ts: int, bar_ts: int) -> None:
        """The signals of task ``k`` at a bar that has just ended."""
        for row in rows:
            self.numbers[k] += 1
            self.place(k, row["number"] + 1 if "number" in row else self.numbers[k], row, ts, bar_ts, "proposed" if self.plan.mode == "approve" and row["order"] != "exit" else "placed")

    def place(self, k: int, order_id: int, row: Row, ts: int, bar_ts: int, verdict: str, strategy: str | None = None) -> None:
        decision = self._decision(k, order_id, row, ts, bar_ts, verdict)
        self._changed()
        self._open[k, order_id] = decision if strategy is None else replace(decision, strategy=strategy)
        self._new.append((k, order_id))

    def _decision(self, k: int, order_id: int, row: Row, ts: int, bar_ts: int, verdict: str, reason: str = "") -> Decision:
        text, number = self.plan.decided[k]
        return Decision(order_id, ts, bar_ts, text, self.plan.names[number], SIDES.get(row["side"], ""), row["order"], row["price"], row["stop_loss"], row["tag"], verdict, reason)

    def left(self, left: Mapping[int, Sequence[tuple[Row, str]]], ts: int, bars: Mapping[str, TapeBar]) -> tuple[Decision, ...]:
        """Signals that a model or a scanner did not take; they have no number."""
        return tuple(self._decision(k, 0, row, ts, bars[self.plan.decided[k][0]].ts, "refused", reason) for k, rows in left.items() for row, reason in rows)

    def reviewed(self, ts: int, reviews: Sequence[Review], fills: Sequence[Fill]) -> tuple[Decision, ...]:
        """Those that are new, with the remarks on them, and the remarks on earlier ones."""
        if not (self._new or reviews or fills):
            return ()
        self._changed()
        new, later = {key: self._open[key] for key in self._new}, []
        for review in reviews:
            key = (review.series, review.order_id)
            decision = replace(self._of(key), ts=ts, verdict=review.verdict, reason=review.reason, lots_requested=review.lots_requested, lots_given=review.lots_given, value=review.value, allowed=review.allowed, buffer=review.buffer)
            if key in new and new[key].verdict in ("placed", "proposed"):
                new[key] = decision
            else:
                later.append(decision)
            if review.verdict == "refused":
                self._open.pop(key, None)
        for fill in fills:
            self._open.pop((fill.series, fill.order_id), None)
        self._forget()
        return (*new.values(), *later)

    def expired(self, ts: int, ended: Iterable[int]) -> tuple[Decision, ...]:
        """Earlier proposals of the tasks whose bar has just ended."""
        own = set(ended)
        gone = [key for key, decision in self._open.items() if decision.verdict == "proposed" and key[0] in own and decision.ts < ts]
        self._changed()
        return tuple(replace(self._open.pop(key), ts=ts, verdict="expired") for key in gone)

    def approved(self, k: int, order_id: int, ts: int) -> tuple[Decision, ...]:
        if (k, order_id) not in self._open:
            return ()
        self._changed()
        self._open[k, order_id] = approved = replace(self._open[k, order_id], ts=ts, verdict="approved")
        return (approved,)

    @property
    def proposals(self) -> tuple[dict[str, Any], ...]:
        """Those that wait to be approved, and what the account says of none of them yet."""
        if self._proposals is None:
            self._proposals = tuple(decision.plain() for decision in self._open.values() if decision.verdict == "proposed")
        return self._proposals

    @property
    def text(self) -> str:
        """As JSON, written again only where something was decided since."""
        self._text = self._text or compact(self._plain())
        return self._text

    def _plain(self) -> dict[str, Any]:
        return dict(numbers=self.numbers, open=[[k, *(_null(value) for value in decision.plain().values())] for (k, _), decision in self._open.items()])

    def take_back(self, plain: Mapping[str, Any]) -> None:
        self.numbers, self._new = list(plain["numbers"]), []
        self._changed()
        for k, *values in plain["open"]:
            known: dict[str, Any] = {name: float("nan") if value is None else value for name, value in zip(DECISIONS, values, strict=False)}
            decision = Decision(**known)
            self._open[k, decision.order_id] = decision

    def _of(self, key: Key) -> Decision:
        text, number = self.plan.decided[key[0]]
        name = self.plan.names[number] if key[1] > 0 else ""
        return self._open.get(key) or Decision(key[1], 0, 0, text, name, "", "", float("nan"), float("nan"), "", "placed")

    def _forget(self) -> None:
        """Of those for the next open the last of each task are in hand, two of them; of orders that may wait long the newest."""
        self._new = []
        passing = [key for key, decision in self._open.items() if decision.order in ("market", "exit") and decision.verdict != "proposed"]
        for key in [*passing[: -2 * len(self.numbers)], *list(self._open)[:-KEPT]]:
            self._open.pop(key, None)


def _null(value: Any) -> Any:
    return None if value != value else value
