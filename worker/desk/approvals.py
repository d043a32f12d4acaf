"""Changes that need a second person: kept as requests, which somebody else with the same right approves or refuses.

The change and the approval are one commit: what is approved is done, by the maker's name and with both in the trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.compliance.rule_set import RuleSet, dump, presets
from domain.errors import BadRequest, Forbidden, SecondPerson
from worker.desk.actor import RIGHTS, Actor
from worker.desk.context import DeskContext, required
from worker.store import Store, Unit
from worker.store.approvals import Approval
from worker.store.ids import new_id

LONGEST = 500       # letters of a reason


@dataclass(frozen=True)
class Change:
    """A change that a second person decides on. ``names``: of its arguments, in order; ``title``: of it, with its arguments in braces."""

    right: str
    names: tuple[str, ...]
    title: str


CHANGES = {
    "paper.release": Change("trade", ("reason", "name", "strategy"), "Release the halt of {name}{strategy}: {reason}"),
    "rule_sets.save": Change("research", ("name", "content", "why", "base"), "Save the rule set {name}: {why}"),
    "rule_sets.retire": Change("research", ("name", "why"), "Retire the rule set {name}: {why}"),
    "models.promote": Change("research", ("model", "reason"), "Promote the model {model} to production: {reason}"),
}


class Undone(Exception):
    """Ends a unit of work without a commit."""


class OneUnit:
    """A store whose units are all one, so that they commit together."""

    def __init__(self, store: Store, unit: Unit) -> None:
        self._store, self._unit = store, unit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        yield self._unit

    read = unit


class ApprovalsView:
    """``desk_of``: the desk of a person on a store, on which the change is made."""

    def __init__(self, context: DeskContext, desk_of: Callable[[Any, Actor], Any]) -> None:
        self._context, self._desk_of = context, desk_of

    # -- reading

    def all(self) -> list[Approval]:
        """The newest 200, newest first."""
        with self._context.store.read() as unit:
            return unit.approvals.all(unit.now())

    def pending(self) -> list[Approval]:
        """Oldest first."""
        with self._context.store.read() as unit:
            return unit.approvals.pending(unit.now())

    def get(self, request: str) -> Approval:
        with self._context.store.read() as unit:
            approval: Approval = required(unit.approvals.get(request, unit.now()), "request", request)
            return approval

    def refused(self, request: Approval) -> str:
        """Why the person may not decide on a request; empty where they may."""
        actor, right = self._context.actor, CHANGES[request.verb].right
        if not actor.may(right):
            return f"needs the role {' or '.join(role for role, rights in RIGHTS.items() if right in rights)}"
        return "needs somebody else than who requested it" if request.person == actor.behind else ""

    # -- changing

    def ask(self, verb: str, arguments: Mapping[str, Any]) -> None:
        """Keep the change as a request: ``SecondPerson`` with its id. One that could not be done now is refused at once."""
        self._tried(verb, arguments)
        actor, lasts = self._context.actor, timedelta(hours=self._context.settings.people.request_hours)
        with self._context.store.unit() as unit:
            now = unit.now()
            unit.alone_with("approvals")
            same = next((each for each in unit.approvals.pending(now) if (each.verb, each.arguments, each.person) == (verb, dict(arguments), actor.behind)), None)
            approval = same or Approval(new_id(), verb, dict(arguments), _summary(verb, arguments), actor.name, actor.behind, actor.role, now, now + lasts, "pending", "", None, "")
            if not same:
                unit.approvals.add(approval)
                unit.audit(actor.name, "approval_requested", f"approval:{approval.id}", verb=verb, summary=approval.summary, person=actor.behind, expires=approval.expires_at.isoformat())
        raise SecondPerson(f"This needs a second person and waits as request {approval.id}. Somebody else who may do it approves it, under Settings, Requests, within {self._context.settings.people.request_hours:g} hours", approval.id)

    def approve(self, request: str, note: str = "") -> Approval:
        """Do it, in the name of who requested it; refused where it cannot be done any more."""
        with self._context.store.unit() as unit:
            approval = self._deciding(unit, request, "approved", note)
            maker = self._maker(unit, approval)
            _done(self._desk_of(OneUnit(self._context.store, unit), maker), approval.verb, approval.arguments)
        return self.get(request)

    def refuse(self, request: str, note: str = "") -> Approval:
        with self._context.store.unit() as unit:
            self._deciding(unit, request, "refused", note)
        return self.get(request)

    def withdraw(self, request: str) -> Approval:
        """By the person who requested it."""
        with self._context.store.unit() as unit:
            approval = required(unit.approvals.get(request, unit.now()), "request", request)
            if approval.person != self._context.actor.behind:
                raise Forbidden(f"the request {request} is {approval.person}'s, who alone may withdraw it")
            self._decided(unit, approval, "withdrawn", "")
        return self.get(request)

    # -- parts

    def _tried(self, verb: str, arguments: Mapping[str, Any]) -> None:
        with suppress(Undone), self._context.store.unit() as unit:
            _done(self._desk_of(OneUnit(self._context.store, unit), self._context.actor), verb, arguments)
            raise Undone

    def _deciding(self, unit: Unit, request: str, state: str, note: str) -> Approval:
        approval: Approval = required(unit.approvals.get(request, unit.now()), "request", request)
        if why := self.refused(approval):
            raise Forbidden(f"deciding on the request {request} {why}")
        self._decided(unit, approval, state, note.strip()[:LONGEST])
        return approval

    def _decided(self, unit: Unit, approval: Approval, state: str, note: str) -> None:
        actor = self._context.actor
        if not unit.approvals.decide(approval.id, state, actor.name, unit.now(), note):
            raise BadRequest(f"the request {approval.id} is {approval.state if approval.state != 'pending' else 'decided'} already")
        unit.audit(actor.name, f"approval_{state}", f"approval:{approval.id}", verb=approval.verb, summary=approval.summary, requested_by=approval.requested_by, person=actor.behind, note=note)

    def _maker(self, unit: Unit, approval: Approval) -> Actor:
        """Who requested it, with the role of this moment."""
        user = unit.users.get(approval.person)
        maker = Actor(approval.requested_by, user.role if user else approval.role, approval.person)
        if (user and user.disabled_at) or not maker.may(CHANGES[approval.verb].right):
            raise BadRequest(f"{approval.person}, who requested it, may not do that any more; refuse the request, and ask for it yourself")
        return maker


def arguments_of(verb: str, given: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, as they are kept.

    >>> arguments_of("models.promote", ("trend 2",), {"reason": "better"})
    {'model': 'trend 2', 'reason': 'better'}
    """
    arguments = {**dict(zip(CHANGES[verb].names, given, strict=False)), **named}
    content = arguments.get("content")
    if isinstance(content, RuleSet) and not arguments.get("base") and content.name in presets():
        arguments["base"] = content.name        # which its text does not say
    return {name: dump(value) if isinstance(value, RuleSet) else value for name, value in arguments.items()}


def _done(desk: Any, verb: str, arguments: Mapping[str, Any]) -> None:
    part, _, method = verb.partition(".")
    getattr(getattr(desk, part), method)(**arguments)


def _summary(verb: str, arguments: Mapping[str, Any]) -> str:
    """
    >>> _summary("paper.release", {"reason": "checked", "name": "", "strategy": ""})
    'Release the halt of all sessions: checked'
    """
    words = {name: str(arguments.get(name, "")).strip() for name in CHANGES[verb].names}
    if verb == "paper.release":
        words |= dict(name=words["name"] or "all sessions", strategy=f", {words['strategy']}" if words["strategy"] else "")
    return CHANGES[verb].title.format(**words).rstrip(": ")[:LONGEST]
