"""Robustness of a run: its stored figures, and the stress tests, sweeps and Monte Carlo runs made since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from domain.analytics import Belief, MonteCarlo, MonteCarloConfig, Overfitting, Remark, Significance, believe, deflated_sharpe
from domain.analytics.guards import finite
from domain.analytics.significance import luck, luck_beats
from domain.errors import BadRequest
from domain.params import Param, build, params_of, values_of
from worker.desk.backtests import Backtests
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.sweeps import Sweeps
from worker.store import Run
from worker.store.selection import Selection, selection_of

Gate = Literal["green", "red", "unknown"]      # look-ahead check: passed, failed, not run
DRAWN_PARAMS = ("paths", "seed")   # of a plan to draw
SEARCHED = 200     # latest runs of a kind that are searched for those of a backtest


@dataclass(frozen=True)
class Robustness:
    """``belief`` counts all trials up to now; ``then`` is their number when the run was made. ``stress``, ``sweep``, ``drawn``
    (more Monte Carlo paths than the run drew itself): the runs used, or None. Runs of older versions store less: ``evaluated`` is False."""

    belief: Belief
    then: int
    remarks: tuple[Remark, ...]
    histories: Mapping[str, Any] | None
    look_ahead: Mapping[str, Any] | None
    stress: Run | None
    sweep: Run | None
    drawn: Run | None
    evaluated: bool
    gate: Gate = "unknown"


class RobustnessView:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._backtests, self._sweeps = context, Backtests(context), Sweeps(context)

    def of(self, run_id: str) -> Robustness:
        """Evaluate the stored figures with all trials up to now; nothing is simulated."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
            chosen = selection_of(unit, run.spec["datasets"], run.spec["strategy"])
            stress = next((stressed for stressed in unit.runs.latest("stress", SEARCHED) if _same(stressed.spec, run.spec, ("scenarios", "rates"))), None)
            sweep = next((swept for swept in unit.runs.latest("sweep", SEARCHED) if swept.summary.get("overfitting") and _family(swept, run)), None)
            drawn = next((drawn_run for drawn_run in unit.runs.latest("histories", SEARCHED) if drawn_run.spec["run"] == run_id), None)
        stored = run.summary.get("belief")
        remarks = tuple(Remark(**remark) for remark in run.summary["remarks"]) if stored else ()
        histories = (drawn or run).summary.get("histories")
        rows = [row for row in stress.summary["scenarios"] if row["scenario"] != "base"] if stress else []
        belief = believe(
            run.summary["metrics"], significance=_deflated(Significance(**stored["significance"]), chosen) if stored else None, ambiguous=run.summary["ambiguous"],
            band=tuple(stored["band"]) if stored and stored["band"] else None, overfitting=Overfitting(**sweep.summary["overfitting"]) if sweep else None,
            monte_carlo=MonteCarlo(**histories["figures"]) if histories else None, stress=[row for row in rows if row["scenario"] not in ("pessimistic", "path", "optimistic")], remarks=remarks,
        )  # fmt: skip
        then = int(stored["significance"]["trials"]) if stored else 0
        return Robustness(replace(belief, stress=tuple(rows)), then, remarks, histories, run.summary.get("look_ahead"), stress, sweep, drawn, bool(stored), self.gate(run_id))

    def gate(self, run_id: str) -> Gate:
        """Whether the run looks ahead: red where its own check or a gate on the same strategy with the same parameters found a leak, green where
        its own check found none, unknown where it has none. Nothing but a green run may be promoted."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
            gates = [gate_run for gate_run in unit.runs.latest("gate", SEARCHED) if gate_run.spec.get("strategy") and _same_strategy(gate_run, run)]
        own = run.summary.get("look_ahead") or {}
        if own.get("first_leak") or own.get("leaks") or not all(gate_run.summary["green"] for gate_run in gates):
            return "red"
        return "green" if own.get("cuts") else "unknown"

    def submit_stress(self, run_id: str) -> Submitted:
        """The same backtest under stressed conditions."""
        return self._sweeps.submit_stress(self._backtests.request_of(run_id))

    def histories_params(self) -> tuple[Param, ...]:
        """How many histories are drawn, and their seed."""
        return tuple(param for param in params_of(MonteCarloConfig) if param.name in DRAWN_PARAMS)

    def submit_histories(self, run_id: str, plan: Mapping[str, Any] | None = None) -> Submitted:
        """Monte Carlo paths of the run's trades, drawn by all workers. ``plan``: changed values of ``histories_params``."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
        if run.kind != "backtest":
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}; a Monte Carlo is for backtests. Choose a backtest")
        spec = dict(run=run_id, datasets=list(run.spec["datasets"]), plan=values_of(build(MonteCarloConfig, plan or {})))
        return self._context.submit("histories", f"Monte Carlo: {run.title}", spec, queue="research", key=key_of("histories", spec), example=run.example)


def _deflated(significance: Significance, chosen: Selection) -> Significance:
    """Significance of the same returns against all trials up to now."""
    if significance.sharpe is None or significance.skew is None or significance.kurtosis is None:
        return replace(significance, trials=chosen.trials)
    against = (significance.periods, chosen.trials, chosen.variance)
    return replace(
        significance, trials=chosen.trials, luck_year=finite(luck(*against) * significance.periods_a_year**0.5), luck_beats=finite(luck_beats(significance.sharpe, *against)),
        dsr=finite(deflated_sharpe(significance.sharpe, *against, significance.skew, significance.kurtosis)),
    )  # fmt: skip


def _same(spec: Mapping[str, Any], other: Mapping[str, Any], but: tuple[str, ...]) -> bool:
    return {key: value for key, value in spec.items() if key not in but} == {key: value for key, value in other.items() if key not in but}


def _same_strategy(gate: Run, run: Run) -> bool:
    return (gate.spec["strategy"], gate.spec["params"]) == (run.spec.get("strategy"), run.spec.get("params"))


def _family(sweep: Run, run: Run) -> bool:
    return sweep.spec["strategy"] == run.spec["strategy"] and set(sweep.spec["datasets"]) == set(run.spec["datasets"])
