"""Which right each change of the desk needs, enforced in the desk: by page, terminal and API alike. What is not listed reads.

Where people sign in, each question to the desk asks besides whether the session is still valid; and some changes become requests to a second person.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from domain.errors import Forbidden
from worker.desk.actor import RIGHTS, Actor
from worker.desk.approvals import CHANGES, arguments_of

NEEDS: dict[str, str] = {       # part.method -> right
    **dict.fromkeys((
        "backtests.submit", "backtests.rename", "backtests.delete", "batches.submit", "batches.cancel", "batches.delete", "chances.submit", "compare.reproduce",
        "compliance.submit", "compliance.submit_table", "cost_profiles.save", "cost_profiles.delete", "data.stage_upload", "data.stage_path", "data.discard", "data.inspect",
        "data.import_", "data.compare", "data.append", "mappings.apply", "mappings.save", "mappings.delete", "instruments.edit", "instruments.add", "data.generate", "data.delete", "downloads.submit", "drift.submit", "drift.retrain", "examinations.submit_examination", "examinations.submit_similar", "examinations.delete",
        "explanations.submit", "policies.submit", "features.save_recipe", "features.delete_recipe", "features.submit", "features.submit_columns", "features.submit_gate", "features.delete", "form_presets.save", "form_presets.rename", "form_presets.delete",
        "histories.import_", "histories.rebuild", "histories.rename", "histories.delete", "jobs.cancel", "jobs.dismiss", "jobs.retry", "models.register", "models.register_files", "models.promote",
        "models.retire", "models.verify", "models.predict", "outside.import_", "outside.remove", "outside_downloads.submit", "regimes.submit", "regimes.submit_rules", "regimes.delete",
        "risks.submit", "journal.save", "run_list.set_tags", "run_list.add_tag", "run_list.set_favourite", "run_list.delete", "backtests.delete_all", "robustness.submit_stress", "robustness.submit_histories", "rule_sets.save", "rule_sets.retire", "run_chart.submit_features", "scanner.submit", "scanner.delete", "session_analysis.check",
        "signal_files.stage", "splits.submit_for", "splits.submit_split", "strategies.save", "strategies.retire", "strategies.keep_draft", "strategies.delete_draft", "strategies.submit_preview", "sweeps.submit_sweep", "sweeps.submit_walk_forward",
        "sweeps.submit_stress", "sweeps.submit_optimise", "sweeps.delete", "training.submit", "training.resume", "training.delete", "tuning.submit",
    ), "research"),
    **dict.fromkeys(("paper.start", "paper.resume", "paper.command", "paper.halt", "paper.release", "session_analysis.take", "executions.report"), "trade"),
    **dict.fromkeys(("trail.verify", "trail.replay", "checkpoints.sign_now", "checkpoints.cover", "checkpoints.acknowledge"), "audit"),
    **dict.fromkeys(("checkpoints.rotate_key", "system.remove_example", "users.all", "users.get", "users.sessions", "users.add", "users.role", "users.disable", "users.enable", "users.set_password", "users.reset_code", "users.new_code", "users.revoke", "users.revoke_all"), "administer"),
}  # fmt: skip
Still = Callable[[bool], None]      # raises where the session ended; True: requested again, not from a moment ago


class Permitted:
    """A part of the desk for one person: each change is refused that the role has no right to.

    ``still``: called first, whatever is requested; ``second``: keeps a change as a request, where it needs a second person.
    """

    def __init__(self, part: Any, name: str, actor: Actor, still: Still | None = None, second: Callable[[str, dict[str, Any]], Any] | None = None) -> None:
        self._part, self._name, self._actor, self._still, self._second = part, name, actor, still, second

    def __getattr__(self, name: str) -> Any:
        method, verb = getattr(self._part, name), f"{self._name}.{name}"
        if not callable(method):
            return method
        needed = NEEDS.get(verb)
        if needed is not None and not self._actor.may(needed):
            return refusing(method, self._actor, needed)
        if self._second and verb in CHANGES:
            method = asking(self._second, verb)
        elif self._second and verb == "paper.command":
            method = commanding(method, self._second)
        return method if self._still is None else checking(method, self._still, needed is not None)


def refusing(method: Callable[..., Any], actor: Actor, needed: str) -> Callable[..., Any]:
    """The method for somebody who may not use it."""

    @wraps(method)
    def refused(*_: Any, **__: Any) -> Any:
        raise Forbidden(f"{actor.name} has the role {actor.role}, which may not do that ({method.__name__.strip('_').replace('_', ' ')}); it needs the role {having(needed)}")

    return refused


def why_not(actor: Actor, verb: str) -> str:
    """Why the role may not do ``part.method``, for a button; empty where it may.

    >>> why_not(Actor("bob", "viewer"), "backtests.submit"), why_not(Actor("ana", "analyst"), "backtests.submit")
    ('needs the role analyst, trader or admin', '')
    """
    needed = NEEDS[verb]
    return "" if actor.may(needed) else f"needs the role {having(needed)}"


def having(right: str) -> str:
    """The roles that have a right, in words.

    >>> having("trade"), having("administer")
    ('trader or admin', 'admin')
    """
    roles = [role for role, rights in RIGHTS.items() if right in rights]
    return " or ".join(filter(None, (", ".join(roles[:-1]), roles[-1])))


def checking(method: Callable[..., Any], still: Still, changes: bool) -> Callable[..., Any]:
    """The method, which asks first whether the session is valid."""

    @wraps(method)
    def checked(*given: Any, **named: Any) -> Any:
        still(changes)
        return method(*given, **named)

    return checked


def asking(second: Callable[[str, dict[str, Any]], Any], verb: str) -> Callable[..., Any]:
    """Keeps the change as a request."""
    return lambda *given, **named: second(verb, arguments_of(verb, given, named))


def commanding(method: Callable[..., Any], second: Callable[[str, dict[str, Any]], Any]) -> Callable[..., Any]:
    """Commands to sessions; one of them releases a halt, which needs a second person."""

    @wraps(method)
    def command(name: str, verb: str, arguments: Any = None, reason: str = "", key: str = "") -> Any:
        if verb == "release":
            return second("paper.release", dict(reason=reason, name=name, strategy=str((arguments or {}).get("strategy", ""))))
        return method(name, verb, arguments, reason, key)

    return command
