"""Where the result of a job is shown."""

from __future__ import annotations

from typing import Any

PAGES = {       # kind of job -> page and view on which it is followed and its result is shown
    "backtest": ("backtest", ""), "sweep": ("sweeps", ""), "optimise": ("sweeps", ""), "walk_forward": ("sweeps", ""), "stress": ("sweeps", ""),
    "scan": ("scanner", ""), "train": ("training", ""), "examine": ("features", "ranking"), "similar": ("features", "similar"), "columns": ("features", ""), "gate": ("features", "gate"),
    "regimes": ("features", "regimes"), "watch_models": ("training", "drift"), "import": ("data", ""), "generate": ("data", ""), "download": ("data", ""), "verify_audit": ("audit", ""),
}  # fmt: skip


def place_of(job: Any) -> tuple[str, dict[str, str]] | None:
    """Page and address of a job's result, or of its progress; None for a job without a page of its own.

    >>> from types import SimpleNamespace as Row
    >>> place_of(Row(kind="backtest", id="j1", state="done", result={"run": "r1"})), place_of(Row(kind="backtest", id="j1", state="running", result=None))
    (('backtest', {'run': 'r1'}), ('backtest', {'job': 'j1'}))
    >>> place_of(Row(kind="import", id="j2", state="done", result={"dataset": "d1"})), place_of(Row(kind="part", id="j3", state="done", result={}))
    (('data', {'dataset': 'd1'}), None)
    """
    if job.kind not in PAGES:
        return None
    page, view = PAGES[job.kind]
    result = job.result if job.state == "done" and job.result else {}
    query = {name: str(result[name]) for name in ("run", "dataset") if result.get(name)}
    follows = {} if page in ("data", "audit") else {"job": job.id}
    return page, {**({"view": view} if view else {}), **(query or follows)}
