"""The head of the Audit page: five figures, and what is wrong, before everything else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from app.kit.figures import ago, clock, number, plural, short, typeset
from app.kit.text import literal
from worker.desk import Desk

OLD = timedelta(hours=2)        # of a verification: the system verifies by itself every hour
OTHERS = 5                      # sentences on what is wrong, the first included
LATE = 2                        # intervals after which a checkpoint is late


def banners(desk: Desk, verification: Any) -> None:
    """A broken trail first, then what keeps checkpoints from leaving, then what is old."""
    evidence = desk.checkpoints
    if verification and not verification["holds"]:
        st.error(literal(broken_sentence(verification, evidence)), title="The trail does not verify", icon=":material/gpp_bad:")
    if verification and verification["guards"]:
        st.warning(literal(verification["guards"]), icon=":material/shield:")
    disagreement = evidence.disagreement()
    if disagreement:
        st.error(literal(typeset(disagreement)), title="The trail is not the one of a checkpoint that left", icon=":material/gpp_bad:")
    for sentence in evidence.problems():
        if sentence != disagreement:
            st.warning(literal(typeset(sentence)), icon=":material/warning:")


def broken_sentence(verification: Any, evidence: Any) -> str:
    """Which row, what still verifies, and what to compare with."""
    earlier = next((row for row in evidence.page(200) if row.size < verification["broken_at"]), None)
    compare = f"Compare with the checkpoint of {earlier.size:,} events sent at {clock(earlier.at)} UTC." if earlier else "Compare with the last checkpoint that you have from outside this machine."
    others = [typeset(sentence) for sentence in verification["faults"][1:OTHERS] if sentence != verification["why"]]
    rest = len(verification["faults"]) - OTHERS + verification["more"]
    return " ".join([typeset(verification["why"]), compare, *others, *([f"And {rest:,} more."] if rest > 0 else [])])


def five_figures(desk: Desk, verification: Any, now: datetime) -> None:
    rows, head, root = desk.trail.head()
    cells = [
        _verified(verification, rows, now),
        ("Head", short(head), f"size {number(rows)}", "off", f"Hash of the last row: {head}. Root of the tree over all rows: {root}."),
        _checkpoint(desk),
        _order(verification),
        _ledger(desk),
    ]
    with st.grid(len(cells), min_column_width=150, gap="xsmall"):
        for label, value, note, colour, meaning in cells:
            st.metric(label, value, note, delta_color=colour, delta_arrow="off", help=meaning)


Cell = tuple[str, str, str, Any, str]


def _verified(verification: Any, rows: int, now: datetime) -> Cell:
    meaning = "Every row was hashed again, its link to the row before and its columns compared, and the tree rebuilt. Events after that verification, which is one itself, are not included."
    if not verification:
        return "Verified", "not yet", "select Verify now", "off", meaning
    if not verification["holds"]:
        return "Verified", f"broken at {verification['broken_at']:,}", f"{clock(verification['at'])} UTC", "red", meaning
    meaning += f" {plural(verification['covered'], 'row')} beside the trail (runs, trials, datasets) are as its events sealed them" + (f"; {verification['uncovered']:,} were recorded before events sealed rows." if verification["uncovered"] else ".")
    meaning += f" Continued from row {verification['since']:,}, which an earlier verification had reached." if verification["since"] else ""
    age = now - verification["at"]
    if age > OLD:
        return "Verified", plural(verification["rows"], "event"), f"old: {ago(age.total_seconds())}", "yellow", meaning
    return "Verified", plural(verification["rows"], "event"), f"{verification['seconds']:.1f} s, {clock(verification['at'])[11:]} UTC", "green", f"{meaning} At {clock(verification['at'], seconds=True)} UTC."


def _checkpoint(desk: Desk) -> Cell:
    meaning = "A signed checkpoint holds the number of events and the root of the tree over them. One that left this machine is what a rewritten database is caught by."
    last = desk.checkpoints.latest()
    if last is None:
        return "Last checkpoint", "none yet", "one a minute is signed", "off", meaning
    went = where(last.went) or "has not left"
    late = last.age > LATE * desk.settings.audit.interval
    note = f"late: {ago(last.age)}" if late else f"{ago(last.age)}: {went}"
    return "Last checkpoint", f"{last.at:%H:%M:%S} UTC", note, "yellow" if late or not last.went else "green", f"{meaning} Of {last.size:,} events, signed on {last.at:%Y-%m-%d}; it went to: {went}."


def where(receivers: tuple[str, ...]) -> str:
    """
    >>> where(("file", "http://a:1", "http://b:1")), where(("http://a:1",)), where(())
    ('file, 2 witnesses', '1 witness', '')
    """
    witnesses = [name for name in receivers if name != "file"]
    return ", ".join([*(["file"] if "file" in receivers else []), *([plural(len(witnesses), "witness", "witnesses")] if witnesses else [])])


def _order(verification: Any) -> Cell:
    meaning = "Rows are numbered without a gap, and each names the hash of the row before it, so there is one order and no fork."
    if not verification:
        return "Order", "not verified", "one writer at a time", "off", meaning
    if not verification["holds"]:
        return "Order", "broken", f"at row {verification['broken_at']:,}", "red", meaning
    return "Order", "no gap, no fork", "one writer at a time", "off", meaning


def _ledger(desk: Desk) -> Cell:
    meaning = "Orders, fills and positions compared with the broker's own ledger. Only that shows that everything which happened was recorded."
    last = next(iter(desk.trail_days.reconciliations(1)), None)
    if last is None:
        return "Broker's ledger", "no sessions", "nothing to reconcile yet", "off", meaning
    event, result = last
    value = "agrees" if result.agrees else plural(result.count, "difference")
    return "Broker's ledger", value, f"reconciled {event.ts[11:16]} UTC, {result.account}", "green" if result.agrees else "red", f"{meaning} {event.ts[:10]}, {result.broker}."
