"""What limits read beside bars: releases of the instrument's own currencies, and a feature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from domain.features import Context, Use, compute, parse, use
from domain.risk.limits import Limits
from domain.trading.task import Task


def limit_features(limits: Limits) -> tuple[Use, ...]:
    """The features that limits read, or whose external data they read: ``news`` reads the releases of ``minutes_to_release``.

    >>> [each.column for each in limit_features(Limits(news=30.0, drift="rsi(14)"))], limit_features(Limits())
    (['minutes_to_release', 'rsi(14)'], ())
    """
    near_releases = (use("minutes_to_release"),) if limits.news else ()
    return (*near_releases, parse(limits.drift.strip())) if limits.drift.strip() else near_releases


def monitored(limits: Limits, seen: pd.DataFrame, context: Context) -> np.ndarray | None:
    """The values of the feature that ``drift`` names on each bar; None where it names none."""
    if not limits.drift.strip():
        return None
    feature = parse(limits.drift.strip())
    return compute(seen, [feature], context)[feature.column].to_numpy(np.float64)


def informed(task: Task, limits: Limits, seen: pd.DataFrame, context: Context) -> Task:
    """``task`` with what its limits read. ``seen``: its bars and any before them; ``context``: what features read on them."""
    if not limits.news and not limits.drift.strip():
        return task
    return replace(task, releases=context.releases if limits.news else None, monitored=monitored(limits, seen, context))
