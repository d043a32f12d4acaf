"""Will it pass? Requests of a chance of passing, and what the job stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from domain.compliance.drawing import ChanceConfig
from domain.compliance.payouts import PayoutConfig
from domain.errors import BadRequest
from domain.params import Param, build, params_of, values_of
from worker.desk.compliance import Compliance, Judged, Subject
from worker.desk.context import DeskContext, Submitted, key_of
from worker.store import Job

KIND = "pass_chance"        # of the job and of its run
CHANCE_PARAMS = ("paths", "horizon", "seed")        # parameters of a chance that a form asks
BINS = 24                   # of the days to the target at most


class Chances:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._compliance = context, Compliance(context)

    def params(self) -> tuple[Param, ...]:
        """How many paths, over how many trading days, and the seed."""
        return tuple(param for param in params_of(ChanceConfig) if param.name in CHANCE_PARAMS)

    def payout_params(self) -> tuple[Param, ...]:
        """When and how profit is paid out in the funded phase."""
        return params_of(PayoutConfig)

    def submit(self, subject: Subject, rules: str, phase: str = "", config: Mapping[str, Any] | None = None, risk: float = 0.0, payout: Mapping[str, Any] | None = None) -> Submitted:
        """Draw a path's days anew. ``risk``: share of equity at risk in each trade; 0: as the path traded."""
        if not 0.0 <= risk <= 1.0:
            raise BadRequest(f"the risk per trade is {risk:g}; give a share of equity from 0 (as the path traded) to 1")
        spec = self._compliance.spec(subject, rules, phase) | dict(
            config=values_of(build(ChanceConfig, config or {})), risk=float(risk), payout=values_of(build(PayoutConfig, payout or {})),
        )  # fmt: skip
        title = f"Chance of passing {spec['rules']['name']}, {spec['rules']['phase']}: {subject.title}"
        return self._context.submit(KIND, title, spec, queue="research", key=key_of(KIND, spec))

    def of(self, subject: Subject, rules: str, phase: str = "") -> Judged | None:
        """The newest chance of a path under a rule set, whatever its settings."""
        return self._compliance.newest(KIND, KIND, self._compliance.spec(subject, rules, phase))

    def job(self, subject: Subject, rules: str, phase: str = "") -> Job | None:
        """The newest job of a path under a rule set, where it has not succeeded."""
        return self._compliance.newest_job(KIND, self._compliance.spec(subject, rules, phase))

    def days_to_target(self, run_id: str) -> pd.DataFrame:
        """``low, high, paths``: the paths that pass, by the trading day on which they do."""
        run = self._compliance.get(run_id)
        progress = self._compliance.frame(run_id, "progress")
        return binned(progress, int(run.summary["config"]["paths"]))

    def sizing(self, run_id: str) -> pd.DataFrame:
        """``risk`` (%), ``passes, low, high, failed, days``, a row a risk per trade."""
        table = self._compliance.frame(run_id, "sizing")
        return pd.DataFrame(dict(risk=100.0 * table["risk"], passes=table["passed"], low=table["passed_low"], high=table["passed_high"], failed=table["failed"], days=table["median_days"]))


def binned(progress: pd.DataFrame, paths: int) -> pd.DataFrame:
    """Paths that pass by the day, in bins of equal width.

    >>> binned(pd.DataFrame(dict(day=[1, 2, 3], passed=[0.0, 0.25, 0.5])), 100).values.tolist()
    [[0, 1, 0], [1, 2, 25], [2, 3, 25]]
    """
    if progress.empty:
        return pd.DataFrame(columns=["low", "high", "paths"])
    width = -(-len(progress) // BINS)
    passed = (progress["passed"].diff().fillna(progress["passed"].iloc[0]) * paths).round()
    groups = (progress["day"] - 1) // width
    counts = passed.groupby(groups).sum().astype(int)
    return pd.DataFrame(dict(low=counts.index * width, high=(counts.index + 1) * width, paths=counts.to_numpy()))
