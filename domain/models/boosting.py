"""Trees grown by LightGBM, the same whatever the number of threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any

from domain.errors import BadRequest
from domain.models.base import Samples, Watch
from domain.models.waiting import waited

SMALL = 500_000     # rows times columns under which one thread is as fast


@dataclass(frozen=True)
class Boosting:
    """Parameters of boosting; the fields are those of the learners."""

    trees: int
    learning_rate: float
    leaves: int
    min_leaf: int
    columns_share: float
    rows_share: float
    l2: float
    patience: int

    @classmethod
    def of(cls, learner: object) -> Boosting:
        """From a learner's fields of the same names."""
        return cls(*(getattr(learner, part.name) for part in fields(cls)))


@dataclass(frozen=True)
class Pinned:
    """Samples in LightGBM's bins, and the parameters that they were binned with."""

    train: Any
    validation: Any
    params: dict[str, Any]


def lightgbm() -> ModuleType | None:
    """The library, None where it cannot be loaded (a system without OpenMP's runtime)."""
    try:
        import lightgbm as library
    except (ImportError, OSError):
        return None
    return library


def some_lightgbm() -> ModuleType:
    """The library, or a sentence."""
    library = lightgbm()
    if library is None:
        raise BadRequest("LightGBM cannot be loaded here; install libgomp (libomp on macOS), or take another learner")
    return library


def pinned(library: ModuleType, train: Samples, validation: Samples, boosting: Boosting, seed: int, watch: Watch) -> Pinned:
    """Both parts in bins, which serve several models."""
    watch(0.0, None)
    params = dict(parameters(boosting, seed), num_threads=threads(len(train) * len(train.columns)))
    data = library.Dataset(train.rows(), label=train.y, weight=train.weight, params=params)
    beside = library.Dataset(validation.rows(), label=validation.y, weight=validation.weight, reference=data, params=params) if len(validation) else None
    waited(data.construct, watch)
    if beside is not None:
        waited(beside.construct, watch)
    return Pinned(data, beside, params)


def threads(cells: int) -> int:
    """One where there is little to do and threads would wait for each other; else 0, as many as OpenMP is allowed."""
    return 1 if cells < SMALL else 0


def parameters(boosting: Boosting, seed: int) -> dict[str, Any]:
    """LightGBM's names. ``deterministic`` with one way to build histograms gives the same trees whatever the number of threads."""
    return dict(
        learning_rate=boosting.learning_rate, num_leaves=boosting.leaves, min_data_in_leaf=boosting.min_leaf, feature_fraction=boosting.columns_share,
        bagging_fraction=boosting.rows_share, bagging_freq=int(boosting.rows_share < 1), lambda_l2=boosting.l2, seed=seed % 2**31,
        deterministic=True, force_row_wise=True, verbosity=-1,
    )  # fmt: skip


def grown(library: ModuleType, boosting: Boosting, objective: Mapping[str, Any], data: Pinned, watch: Watch) -> str:
    """The text of a model, up to its best round. ``objective``: LightGBM's parameters ``objective``, ``metric`` and what belongs to them."""

    def on_iteration(state: Any) -> None:
        losses = state.evaluation_result_list
        watch((state.iteration + 1) / boosting.trees, float(losses[0][2]) if losses else None)

    callbacks = [on_iteration]
    if data.validation is not None and boosting.patience:
        callbacks.append(library.early_stopping(boosting.patience, verbose=False))
    parts = [data.validation] if data.validation is not None else None
    booster = library.train({**data.params, **objective}, data.train, boosting.trees, valid_sets=parts, callbacks=callbacks)
    return booster.model_to_string(num_iteration=booster.best_iteration if booster.best_iteration > 0 else -1)
