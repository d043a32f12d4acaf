"""Which events can be replayed, what is computed again, and how the answer reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.errors import listed

OF_SESSIONS = ("order_intent", "order_accepted", "order_proposed", "order_expired", "order_rejected", "order_filled", "trade_closed")
REPLAYS = {         # kind of event -> what its replay computes again
    "run_finished": "The run is computed again from its data, parameters and code, and its tables are compared byte by byte.",
    "run_reproduced": "The run is computed again from its data, parameters and code, and its tables are compared byte by byte.",
    "run_histories_drawn": "The stored tables are hashed again and compared with what the event recorded.",
    "gate_passed": "The look-ahead check is computed again on the same bars.",
    "gate_refused": "The look-ahead check is computed again on the same bars.",
    "run_judged": "The path is judged again by the same rules, and the tables are compared byte by byte.",
    "chance_estimated": "The chance is estimated again from the same days, rules and seed, and the tables are compared byte by byte.",
    "risk_measured": "The risk is measured again from the bars that are stored now, and the tables are compared byte by byte.",
    "dataset_imported": "The stored bars are hashed again to their version; synthetic bars are generated again from their model and seed.",
    "dataset_appended": "The stored bars are hashed again to their version.",
    "dataset_unchanged": "The stored bars are hashed again to their version; synthetic bars are generated again from their model and seed.",
    "outside_imported": "The stored rows are hashed again to their version.",
    "outside_unchanged": "The stored rows are hashed again to their version.",
    "job_submitted": "The stored settings of the job are hashed again.",
    "audit_verified": "The rows up to there are verified again.",
    "audit_broken": "The rows up to there are verified again.",
    **dict.fromkeys(OF_SESSIONS, "The session is worked again from its tape and commands, and what that gives is compared with the event, fact by fact."),
}
ORDERS_OF = ("run_finished", "run_reproduced")      # events of runs whose orders can be decided again one by one
VERDICTS = {        # verdict -> its sentence
    "equal": "The decision computed again is equal to what was recorded.",
    "differs": "The decision computed again differs from what was recorded.",
    "unchanged": "What is stored is what was recorded; it was not computed again.",
    "impossible": "It cannot be computed again.",
}
SHOWN = 6


@dataclass(frozen=True)
class Check:
    """One thing that was compared. ``counts`` False: shown, but no part of the verdict (another version of the code with the same result)."""

    what: str
    recorded: str
    now: str
    counts: bool = True

    @property
    def same(self) -> bool:
        return self.recorded == self.now

    def plain(self) -> dict[str, Any]:
        return dict(what=self.what, recorded=self.recorded, now=self.now, same=self.same)


@dataclass(frozen=True)
class Answer:
    """``verdict``: one of VERDICTS. ``notes``: sentences that explain it. ``decision``: of one order, its inputs and results."""

    verdict: str
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    decision: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        differ = [check.what for check in self.checks if check.counts and not check.same]
        named = [f"{listed(differ, SHOWN)} differ{'s' if len(differ) == 1 else ''}."] if differ and self.verdict == "differs" else []
        return " ".join([VERDICTS[self.verdict], *(f"{text[:1].upper()}{text[1:]}" for text in named), *self.notes])


def compared(checks: Sequence[Check], notes: Sequence[str] = (), decision: dict[str, Any] | None = None, equal: str = "equal") -> Answer:
    """The answer of these checks: ``equal`` where all that count are the same.

    >>> compared([Check("lots", "0.4", "0.4"), Check("fill", "1.1", "1.2")]).sentence
    'The decision computed again differs from what was recorded. Fill differs.'
    """
    same = all(check.same for check in checks if check.counts)
    return Answer(equal if same else "differs", tuple(checks), tuple(notes), decision or {})
