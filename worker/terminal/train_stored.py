"""``tidemark train --data``: a job of the workspace, whose run is kept and whose trials are counted; and models under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from domain.errors import BadRequest

if TYPE_CHECKING:
    from domain.training.train import Trained


def train_stored(data: Sequence[str], timeframe: str, options: Mapping[str, Any], quiet: bool) -> Trained:
    """Submit the question on stored datasets, wait for it, and read its run. ``options``: further fields of a ``TrainingRequest``."""
    from domain.training.train import Trained
    from worker.desk.training import TrainingRequest
    from worker.terminal.here import desk, finished, mirrored

    at = desk()
    used = [at.data.get(name) for name in data]
    if not timeframe and len({dataset.timeframe for dataset in used}) > 1:
        raise BadRequest(f"the datasets are of {', '.join(sorted({dataset.timeframe for dataset in used}))}; say which with --timeframe")
    first, last = min(dataset.first_ts for dataset in used), max(dataset.last_ts for dataset in used) + timedelta(seconds=1)
    request = TrainingRequest([dataset.id for dataset in used], timeframe or used[0].timeframe, first, last, **options)
    run = finished(at, at.training.submit(request), quiet).result["run"]
    mirrored(at)
    samples, folds, predictions = (at.training.table(run, name) for name in ("samples", "folds", "predictions"))
    return Trained(samples, folds, predictions, at.training.report(run), at.training.model(run))


def register(trained: Any, name: str) -> str:
    """The version that a run of files becomes: a candidate for ever."""
    from worker.terminal.here import desk, mirrored

    tables = {table: getattr(trained, table) for table in ("samples", "folds", "predictions")}
    at = desk()
    model = at.models.register_files(name, trained.model, trained.report, tables)
    mirrored(at)
    return model.title
