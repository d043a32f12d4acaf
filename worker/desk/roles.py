"""Which right each change of the desk needs, enforced where the desk is asked: by page, terminal and API alike. What is not listed reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from domain.errors import Forbidden
from worker.desk.actor import RIGHTS, Actor

NEEDS: dict[str, str] = {       # part.method -> right
    **dict.fromkeys((
        "backtests.submit", "backtests.rename", "backtests.delete", "batches.submit", "batches.cancel", "batches.delete", "chances.submit", "compare.reproduce",
        "compliance.submit", "compliance.submit_table", "cost_profiles.save", "cost_profiles.delete", "data.stage_upload", "data.stage_path", "data.discard", "data.inspect",
        "data.import_", "data.generate", "data.delete", "downloads.submit", "drift.submit", "drift.retrain", "examinations.submit_examination", "examinations.submit_similar", "examinations.delete",
        "explanations.submit", "policies.submit", "features.save_recipe", "features.delete_recipe", "features.submit", "features.submit_columns", "features.submit_gate", "features.delete",
        "histories.import_", "histories.rebuild", "histories.rename", "histories.delete", "jobs.cancel", "jobs.retry", "models.register", "models.register_files", "models.promote",
        "models.retire", "models.verify", "models.predict", "outside.import_", "outside.remove", "outside_downloads.submit", "regimes.submit", "regimes.submit_rules", "regimes.delete",
        "risks.submit", "journal.save", "run_list.set_tags", "run_list.add_tag", "run_list.set_favourite", "run_list.delete", "backtests.delete_all", "robustness.submit_stress", "robustness.submit_histories", "rule_sets.save", "rule_sets.retire", "run_chart.submit_features", "scanner.submit", "scanner.delete", "session_analysis.check",
        "splits.submit_for", "splits.submit_split", "strategies.save", "strategies.retire", "strategies.keep_draft", "strategies.submit_preview", "sweeps.submit_sweep", "sweeps.submit_walk_forward",
        "sweeps.submit_stress", "sweeps.submit_optimise", "sweeps.delete", "training.submit", "training.resume", "training.delete", "tuning.submit",
    ), "research"),
    **dict.fromkeys(("paper.start", "paper.resume", "paper.command", "paper.halt", "paper.release", "session_analysis.take", "executions.report"), "trade"),
    **dict.fromkeys(("trail.verify", "trail.replay", "checkpoints.sign_now", "checkpoints.cover", "checkpoints.acknowledge"), "audit"),
    **dict.fromkeys(("checkpoints.rotate_key", "tokens.create", "tokens.revoke", "tokens.all", "system.remove_example"), "administer"),
}  # fmt: skip


class Permitted:
    """A part of the desk for one person: each change is refused that the role has no right to."""

    def __init__(self, part: Any, name: str, actor: Actor) -> None:
        self._part, self._name, self._actor = part, name, actor

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)
        needed = NEEDS.get(f"{self._name}.{name}")
        if needed is None or not callable(method) or self._actor.may(needed):
            return method
        return refusing(method, self._actor, needed)


def refusing(method: Callable[..., Any], actor: Actor, needed: str) -> Callable[..., Any]:
    """The method for somebody who may not use it."""

    @wraps(method)
    def refused(*_: Any, **__: Any) -> Any:
        roles = " or ".join(role for role, rights in RIGHTS.items() if needed in rights)
        raise Forbidden(f"{actor.name} has the role {actor.role}, which may not do that ({method.__name__.strip('_').replace('_', ' ')}); it needs the role {roles}")

    return refused
