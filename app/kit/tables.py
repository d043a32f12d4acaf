"""Tables of the pages: rows of the desk as frames, and their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock, exact, lasted, plain, printed, short, typeset
from worker.desk.outcomes import label

MOST_CELLS = 100_000     # of a table whose cells are formatted here
STATES = ["queued", "running", "done", "failed", "cancelled"]
STATE_COLOURS = ["gray", "blue", "gray", "red", "gray"]
SUBJECT_ROLES = {"order": "ink", "session": "storm", "job": "line", "run": "up", "data": "quiet", "rule": "warn", "audit": "warn", "user": "other", "system": "quiet"}
SUBJECT_COLOURS = {"order": "blue", "session": "violet", "job": "blue", "run": "green", "data": "gray", "rule": "yellow", "audit": "yellow", "user": "violet", "system": "gray"}


def kind_of(synthetic: bool) -> list[str]:
    return ["synthetic" if synthetic else "real"]


def kind_column(width: int = 84) -> Any:
    """The column that tells real from synthetic data."""
    return st.column_config.MultiselectColumn("Data", width=width, options=["real", "synthetic"], color=["gray", "violet"])


def state_column(width: int = 84) -> Any:
    return st.column_config.MultiselectColumn("State", width=width, options=STATES, color=STATE_COLOURS)


def jobs_frame(jobs: Sequence[Any], seconds: Any) -> pd.DataFrame:
    rows = [
        dict(job=job.title, id=job.id, share=job.progress, state=[job.state], took=lasted(seconds(job)), actor=job.actor, created=clock(job.created_at, seconds=True), note=(job.error or {}).get("sentence", job.note if job.open else ""))
        for job in jobs
    ]
    return pd.DataFrame(rows, columns=["job", "id", "share", "state", "took", "actor", "created", "note"])


def runs_frame(runs: Sequence[Any]) -> pd.DataFrame:
    rows = []
    for run in runs:
        m = run.summary["metrics"]
        kind = kind_of(run.synthetic)
        rows.append(
            dict(run=run.id, name=run.name or run.title, kind=kind, curve=run.summary["curve"], net=_percent(m["net_return"]), drawdown=_percent(m["max_drawdown"]), trades=m["trades"], factor=m["profit_factor"], created=clock(run.created_at), actor=run.actor)
        )
    return pd.DataFrame(rows, columns=["run", "name", "kind", "curve", "net", "drawdown", "trades", "factor", "created", "actor"])


def run_columns(wide: bool = True) -> dict[str, Any]:
    config = st.column_config
    columns = {
        "run": config.TextColumn("Run", width=64 if wide else 58),
        "name": config.TextColumn("Strategy", width=228 if wide else 146),
        "kind": kind_column(84 if wide else 80),
        "curve": config.LineChartColumn("Equity", width=76 if wide else 60, color="blue"),
        "net": config.NumberColumn("Net, %", format="%+.1f", width=64 if wide else 60, help="Net return: final equity over the start, after all costs."),
        "drawdown": config.NumberColumn("DD, %", format="%.1f", width=58 if wide else 54, help="Maximum drawdown: the deepest fall of equity from its highest point, in % of that point."),
        "trades": config.NumberColumn("Trades", format="localized", width=62 if wide else 56),
    }
    if wide:
        columns |= {"factor": config.NumberColumn("PF", format="%.2f", width=50, help="Profit factor: gross profit ÷ gross loss."), "created": config.TextColumn("Created, UTC", width=114)}
    return columns


def datasets_frame(datasets: Sequence[Any], pips: Mapping[str, float], quality: Callable[[Any], str]) -> pd.DataFrame:
    rows = [
        dict(
            id=dataset.id, instrument=dataset.instrument, timeframe=dataset.timeframe, source=dataset.source, kind="synthetic" if dataset.synthetic else "real", quality=quality(dataset), first=f"{dataset.first_ts:%Y-%m-%d}", last=f"{dataset.last_ts:%Y-%m-%d}",
            bars=dataset.bars, gaps=dataset.gaps, spread=None if dataset.spread is None else dataset.spread / pips.get(dataset.instrument, 1.0), version=short(dataset.version),
        )
        for dataset in datasets
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "instrument", "timeframe", "source", "kind", "quality", "first", "last", "bars", "gaps", "spread", "version"])


def findings_frame(findings: Sequence[Mapping[str, Any]], titles: Mapping[str, str], all_of_them: bool = True) -> pd.DataFrame:
    """Checks with count, action and first occurrence, failed ones first (with ``all_of_them`` False, only those)."""
    shown = sorted((f for f in findings if all_of_them or f["count"]), key=lambda f: not f["count"])
    rows = [dict(check=titles.get(f["key"], f["title"]), count=f["count"], did=f["did"], severity=f["severity"], example=" ".join(f["examples"][0]).replace("T", " ", 1) if f["examples"] else "") for f in shown]
    return pd.DataFrame(rows, columns=["check", "count", "did", "severity", "example"])


def events_frame(events: Sequence[Any], now: Any = None) -> pd.DataFrame:
    """``at`` is the time of day, or the day where it was not today."""
    today = f"{now:%Y-%m-%d}" if now else ""
    rows = [
        dict(at=e.ts[11:19] if e.ts[:10] == today else e.ts[:10], seq=e.seq, ts=e.ts.replace("T", " ")[:23], about=[e.subject], event=e.words, entity=", ".join(e.entities), detail=e.sentence, actor=e.actor, hash=short(e.hash))
        for e in events
    ]
    return pd.DataFrame(rows, columns=["at", "seq", "ts", "about", "event", "entity", "detail", "actor", "hash"])


def event_columns(events: Sequence[Any]) -> dict[str, Any]:
    """The columns of a table of ``events``; the first is as wide as the largest number needs."""
    digits = len(f"{max((event.seq for event in events), default=0):,}")
    config = st.column_config
    return {
        "seq": config.NumberColumn("Seq", format="localized", width=max(52, 7 * digits + 8)),
        "ts": config.TextColumn("UTC", width=152),
        "about": config.MultiselectColumn("Category", width=66, options=list(SUBJECT_COLOURS), color=list(SUBJECT_COLOURS.values())),
        "event": config.TextColumn("Event", width=112),
        "entity": config.TextColumn("Entity", width=92),
        "detail": config.TextColumn("Detail", width=320),
        "actor": config.TextColumn("User", width=72),
        "hash": config.TextColumn("Hash", width=72),
    }


def trades_frame(trades: pd.DataFrame) -> pd.DataFrame:
    """Trades as the grid shows them: times as text, words for sides and reasons."""
    times = {name: trades[name].dt.strftime("%Y-%m-%d %H:%M") for name in ("entry_ts", "exit_ts")}
    return trades.assign(**times, exit_reason=trades["exit_reason"].map(label))


def with_minus(frame: pd.DataFrame, columns: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """``frame`` and ``columns`` as a table takes them. Streamlit's formats write a hyphen before negative numbers: where there are any, the columns that have a format
    get their text from here instead, and stay numbers for sorting and for a download."""
    kinds = {name: config["type_config"] for name, config in columns.items() if isinstance(config, dict) and config.get("type_config")}
    formats = {name: kind for name, kind in kinds.items() if kind["type"] == "number" and kind["format"]}
    if frame.size > MOST_CELLS or not any((pd.to_numeric(frame[name], errors="coerce") < 0).any() for name in formats):
        return frame, dict(columns)
    styled = {name: partial(printed, format=kind["format"], integer=kind["step"] == 1) for name, kind in formats.items()}
    plainly = {str(name): plain for name in frame if name not in formats and pd.api.types.is_float_dtype(frame[name].dtype)}
    drawn = {name: _nothing for name, kind in kinds.items() if kind["type"] not in ("number", "text")}        # from their values
    bare = {name: {**columns[name], "type_config": {**kind, "format": None, "step": None}} for name, kind in formats.items()}
    texts = {name: text for name, text in {**plainly, **styled, **drawn}.items() if name in columns}
    return frame[list(columns)].reset_index(drop=True).style.format(texts, na_rep=""), {**columns, **bare}


def _nothing(value: Any) -> str:
    return ""


def settings_frame(rows: Sequence[Any]) -> pd.DataFrame:
    shown = [dict(setting=f"{row.section}.{row.key}" if row.section else row.key, value=setting_value(row.value, row.unit), unit=row.unit, origin=row.origin, help=typeset(row.help)) for row in rows]
    return pd.DataFrame(shown, columns=["setting", "value", "unit", "origin", "help"])


def setting_value(value: Any, unit: str = "") -> str:
    """A setting as pages show it; a number without a unit (a port, a seed) has no thousands.

    >>> setting_value(False), setting_value(20_000_000, "rows"), setting_value(8501), setting_value(""), setting_value(None)
    ('off', '20,000,000', '8501', 'default', 'default')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    return "default" if value in ("", None) else exact(value) if unit or isinstance(value, float) else str(value)


def pairs_frame(pairs: Mapping[str, Any], left: str, right: str) -> pd.DataFrame:
    return pd.DataFrame([(key.replace("_", " "), str(value)) for key, value in pairs.items()], columns=[left, right])


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 2)
