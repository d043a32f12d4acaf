"""Every count, drop, verdict and fill reason of a simulation, each once: its key, its label and sentence, and its severity.

The kernel's codes are places in ``COUNTS`` and ``REASONS``; linter, reports, desk and pages take labels and sentences from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.risk.limits import REFUSALS


@dataclass(frozen=True)
class Kind:
    """One kind of outcome.

    ``label``: its short name on a page. ``sentence``: what it means. ``drop``: an entry signal ended here. ``limit``: of the risk
    limits that refuse entries. ``severity`` and ``remark``: of the sentence in which the linter counts it; empty: it does not.
    """

    key: str
    label: str
    sentence: str
    drop: bool = False
    limit: bool = False
    severity: str = ""
    remark: str = ""


def _drop(key: str, label: str, sentence: str, severity: str = "", remark: str = "") -> Kind:
    return Kind(key, label, sentence, True, False, severity, remark)


def _limit(key: str, label: str, sentence: str) -> Kind:
    return Kind(key, label, sentence, True, True)


def _note(key: str, label: str, sentence: str, severity: str = "", remark: str = "") -> Kind:
    return Kind(key, label, sentence, False, False, severity, remark)


KINDS: Mapping[str, Kind] = {kind.key: kind for kind in (
    _drop("duplicate_tag", "Already in position", "A position with the same tag was already open."),
    _drop("opposite_dropped", "Opposite position open", "A position with the same tag was open on the other side."),
    _drop("stop_through", "Stop already passed", "The price was at or beyond the stop at the fill."),
    _drop("target_through", "Target already reached", "The price was at or beyond a target at the fill.", "note", "{entries} {were} dropped: the target was already reached."),
    _drop("no_stop", "Stop missing", "A stop loss was needed, and the signal had none.", "note", "{entries} {were} dropped: no stop loss."),
    _drop("no_size", "No position size", "Position sizing gave no finite size above zero.", "note", "{entries} {were} dropped: no position size."),
    _drop("below_min_lot", "Size below minimum lot", "The position size was below the instrument's minimum lot.", "warning", "Size fell below the minimum lot {times}."),
    _drop("no_margin", "Insufficient margin", "The free margin was less than the order needed.", "warning", "{entries} {were} rejected: insufficient margin."),
    _drop("halted", "Trading halted", "A loss limit, a pause, a stop or the kill switch had halted trading.", "note", "{entries} came while trading was halted and {were} dropped."),
    _drop("expired", "Order expired", "The price was not reached within the order's lifetime."),
    _drop("oco_cancelled", "Cancelled by OCO", "Another order of the same OCO group was filled first."),
    _drop("end_of_data", "End of data", "Decided on the last bar, or still pending there."),
    _note("nothing_to_exit", "Nothing to exit", "An exit signal came while no position with its tag was open."),
    _note("over_max_lot", "Capped at maximum lot", "The position size was reduced to the instrument's maximum lot.", "warning", "Size was capped at the maximum lot {times}."),
    _note("target_below_step", "Target below lot step", "A target's share of the lots was below the lot step, so it closed nothing.", "note",
          "A target's share of the lots was below the lot step {times}: nothing was closed there."),
    _note("manual_below_step", "Manual share below lot step", "The share of a manual exit was below the lot step, so it closed nothing.", "note",
          "The share of a manual exit was below the lot step {times}: nothing was closed there."),
    _note("not_magnified", "No finer bars", "No finer bars were available inside the bar; it was decided pessimistically.", "note",
          "{bars} had no finer bars and {were} decided pessimistically."),
    _note("magnify_mismatch", "Finer bars disagree", "The finer bars' high or low differs from the bar's by more than a tick.", "warning", "{bars} reach further than their finer bars, or less far."),
    _note("stale_rate", "Stale conversion rate", "A conversion rate older than four days was used.", "note", "A rate older than four days was used for money {times}."),
    *(_limit(*refusal) for refusal in REFUSALS),
    _note("shrunk_leverage", "Reduced to leverage limit", "The order was reduced to what fits under the leverage limit.", "note", "The leverage limit reduced the size {times}."),
    _note("shrunk_currency", "Reduced to currency limit", "The order was reduced to what fits under the currency exposure limit.", "note", "The currency exposure limit reduced the size {times}."),
    _note("shrunk_open_risk", "Reduced to open risk limit", "The order was reduced to what fits under the limit of open risk.", "note", "The limit of open risk reduced the size {times}."),
    _note("shrunk_daily_gate", "Reduced with the daily loss", "More than half of the daily loss limit was used, and the order was reduced.", "note", "The used part of the daily loss limit reduced the size {times}."),
    _note("shrunk_drift", "Halved for drift", "The monitored feature had drifted, and the order was halved.", "note", "The drift of a feature halved the size {times}."),
)}  # fmt: skip

REASON_LABELS: Mapping[str, str] = {     # of fills, and of a trade's last one
    "market": "Market entry", "stop": "Stop entry", "limit": "Limit entry", "grid": "Grid add", "stop_loss": "Stop loss",
    **{f"target_{k}": f"Target {k}" for k in range(1, 5)}, "break_even": "Break-even stop", "trail": "Trailing stop", "time": "Time exit", "session": "Session exit",
    "signal": "Exit signal", "opposite": "Opposite signal", "stop_out": "Stop-out", "kill_switch": "Kill switch", "manual": "Manual", "end": "End of data",
}  # fmt: skip
VERDICT_LABELS: Mapping[str, str] = {"refused": "Rejected", "shrunk": "Reduced", "capped": "Capped"}

COUNTS = tuple(KINDS)
DROPS = tuple(key for key, kind in KINDS.items() if kind.drop)      # with the entries filled, these add up to the entry signals
LIMIT_DROPS = tuple(key for key, kind in KINDS.items() if kind.limit)
REASONS = tuple(REASON_LABELS)
VERDICTS = tuple(VERDICT_LABELS)


def label(key: str) -> str:
    """The label of a count, a drop, a verdict or a reason; its key in words if it is unknown.

    >>> label("duplicate_tag"), label("stop_loss"), label("capped"), label("of_an_older_version")
    ('Already in position', 'Stop loss', 'Capped', 'Of an older version')
    """
    labels = {**REASON_LABELS, **VERDICT_LABELS, **{name: kind.label for name, kind in KINDS.items()}}
    return labels.get(key, key.replace("_", " ").capitalize())


def sentence(key: str) -> str:
    """The meaning of a count; empty if it is unknown."""
    return KINDS[key].sentence if key in KINDS else ""
