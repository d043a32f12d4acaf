"""Reconciliation with a broker's own ledger: what both sides say of orders, fills and positions, and where they differ.

The event's kind is ``broker_reconciled``, its first entity ``broker:NAME/ACCOUNT``. Verification of the chain proves that nothing
recorded was changed; only this shows that what happened was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

KIND = "broker_reconciled"
LISTED = 200            # differences in one event; their number is always whole

Ledger = Mapping[str, Mapping[str, Mapping[str, Any]]]      # orders, fills, positions -> id -> field -> value


@dataclass(frozen=True)
class Difference:
    """One value on which the two ledgers disagree. ``ours``, ``theirs``: as text, empty where one side has none."""

    what: str           # orders, fills or positions
    id: str
    field: str
    ours: str
    theirs: str

    @property
    def sentence(self) -> str:
        """
        >>> Difference("fills", "88121", "", "", "recorded").sentence
        'Fill 88121 is in the ledger of the broker only.'
        >>> Difference("positions", "EURUSD", "lots", "0.4", "0.5").sentence
        'Position EURUSD: lots is 0.4 here and 0.5 at the broker.'
        """
        name = f"{self.what.removesuffix('s').capitalize()} {self.id}"
        if not self.field:
            return f"{name} is in the ledger of the broker only." if self.theirs else f"{name} is in our ledger only."
        return f"{name}: {self.field} is {self.ours or 'empty'} here and {self.theirs or 'empty'} at the broker."


@dataclass(frozen=True)
class Reconciliation:
    """``compared``: how many orders, fills and positions either side has. ``count``: all differences, of which the first are listed."""

    broker: str
    account: str
    as_of: datetime
    compared: Mapping[str, int]
    differences: tuple[Difference, ...]
    count: int

    @property
    def agrees(self) -> bool:
        return self.count == 0

    @property
    def entity(self) -> str:
        return f"broker:{self.broker}/{self.account}"

    def detail(self) -> dict[str, Any]:
        """The detail of the audit event."""
        listed = [dict(what=each.what, id=each.id, field=each.field, ours=each.ours, theirs=each.theirs) for each in self.differences[:LISTED]]
        return dict(broker=self.broker, account=self.account, as_of=self.as_of, compared=dict(self.compared), agrees=self.agrees, count=self.count, differences=listed)


def reconcile(broker: str, account: str, as_of: datetime, ours: Ledger, theirs: Ledger) -> Reconciliation:
    """Compare two ledgers entry by entry and field by field, of the fields that both sides give. Numbers are compared as decimals.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 20, tzinfo=UTC)
    >>> mine = {"fills": {"88121": {"lots": "0.40", "price": "1.08412"}}}
    >>> reconcile("paper", "1", at, mine, {"fills": {"88121": {"lots": 0.4, "price": "1.08412"}}}).agrees
    True
    >>> reconcile("paper", "1", at, mine, {"fills": {}}).differences[0].sentence
    'Fill 88121 is in our ledger only.'
    """
    differences, compared = [], {}
    for what in ("orders", "fills", "positions"):
        left, right = ours.get(what, {}), theirs.get(what, {})
        compared[what] = len({*left, *right})
        for name in sorted({*left, *right}):
            if name not in left or name not in right:
                differences.append(Difference(what, name, "", "recorded" if name in left else "", "recorded" if name in right else ""))
                continue
            fields = sorted(left[name].keys() & right[name].keys())
            differences += [Difference(what, name, field, str(left[name][field]), str(right[name][field])) for field in fields if not _same(left[name][field], right[name][field])]
    return Reconciliation(broker, account, as_of, compared, tuple(differences), len(differences))


def reconciliation_of(detail: Mapping[str, Any]) -> Reconciliation:
    """What ``detail`` of an event says."""
    differences = tuple(Difference(**each) for each in detail["differences"])
    as_of = datetime.fromisoformat(str(detail["as_of"]))
    return Reconciliation(detail["broker"], detail["account"], as_of, detail["compared"], differences, int(detail["count"]))


def _same(left: Any, right: Any) -> bool:
    try:
        return Decimal(str(left)) == Decimal(str(right))
    except InvalidOperation:
        return str(left) == str(right)
