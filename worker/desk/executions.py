"""Proposals for external executors, and what they report to have done with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.errors import BadRequest
from worker.desk.context import DeskContext
from worker.store import Run, Unit
from worker.store.executions import Execution
from worker.store.ids import new_id

ACTIONS = ("buy", "sell", "close")
GRADES = ("A+", "A")
MOST = 3                    # proposals that are offered at once
SCANS = 20                  # newest scans in which a proposal is looked for


@dataclass(frozen=True)
class Proposal:
    """A signal of the newest scan. ``row``: its figures as the Scanner shows them."""

    id: str
    row: dict[str, Any]


@dataclass(frozen=True)
class Report:
    """What an executor says. ``signal``: id of the proposal, empty for none; amounts as exact decimals."""

    ticket: str
    symbol: str
    action: str
    lots: str
    price: str
    ts: datetime
    signal: str = ""
    profit: str = ""


class Executions:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def proposals(self, most: int = MOST) -> list[Proposal]:
        """The best of the newest scan, of grade A or A+."""
        with self._context.store.read() as unit:
            scans = unit.runs.latest("scan", 1)
        proposals = [proposal for run in scans for proposal in _of(run) if proposal.row.get("grade") in GRADES]
        return proposals[:most]

    def report(self, report: Report) -> Execution:
        """Keep what was done; the same ticket and action once. One that fits no proposal is kept with the reason."""
        checked = _checked(report)
        with self._context.store.unit() as unit:
            if earlier := unit.executions.of_ticket(self._context.user, checked.ticket, checked.action):
                return earlier
            why = _unmatched(unit, checked)
            execution = Execution(new_id(), self._context.user, checked.ticket, checked.signal, checked.symbol, checked.action, checked.lots, checked.price, checked.profit, checked.ts, not why, why, unit.now())
            unit.executions.add(execution)
            entities = [f"execution:{execution.id}", *([f"signal:{execution.signal}"] if execution.signal else [])]
            detail = {name: getattr(execution, name) for name in ("ticket", "signal", "symbol", "action", "lots", "price", "profit", "matched", "reason")}
            unit.audit(self._context.user, "execution_reported", *entities, **detail, happened=execution.ts.isoformat())
        return execution

    def latest(self, limit: int = 100) -> list[Execution]:
        """The last that were reported first."""
        with self._context.store.read() as unit:
            return unit.executions.latest(limit)


def _of(run: Run) -> list[Proposal]:
    rows = sorted(run.summary.get("proposals", []), key=lambda row: row.get("rank") or 0)
    return [Proposal("-".join((run.id, row["instrument"], row["timeframe"], row["strategy"])), dict(row)) for row in rows]


def _checked(report: Report) -> Report:
    if report.action not in ACTIONS:
        raise BadRequest(f"the action is {report.action[:40]!r}; it must be {', '.join(ACTIONS)}")
    if not report.ticket or len(report.ticket) > 64:
        raise BadRequest("a report names the ticket of the executor's broker, 1 to 64 letters")
    for name in ("lots", "price", "profit"):
        _check_number(name, getattr(report, name), positive=name != "profit")
    return report


def _check_number(name: str, text: str, positive: bool) -> None:
    if not text and not positive:
        return
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or (positive and value <= 0) or len(text) > 40:
        raise BadRequest(f"{name} is {text[:40]!r}; it must be a number{' above 0' if positive else ''}")


def _unmatched(unit: Unit, report: Report) -> str:
    """Why a report fits no proposal; empty where it fits one."""
    if not report.signal:
        return "it names no signal"
    run = next((run for run in unit.runs.latest("scan", SCANS) if report.signal.startswith(f"{run.id}-")), None)
    proposal = next((each for each in _of(run) if each.id == report.signal), None) if run else None
    if proposal is None:
        return f"none of the last {SCANS} scans proposed {report.signal[:80]}"
    if report.symbol != proposal.row["instrument"]:
        return f"the signal is of {proposal.row['instrument']}, the report of {report.symbol}"
    side = "buy" if proposal.row["side"] in ("long", "buy") else "sell"
    return f"the signal is to {side}" if report.action not in (side, "close") else ""
