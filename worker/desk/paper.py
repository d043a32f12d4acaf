"""Paper trading sessions: the list, one session, start, and the commands to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import BadRequest, unknown
from worker.desk.context import DeskContext, required
from worker.desk.paper_rows import HaltRow, SessionRow, SessionView, StartRequest, Verb

TRADERS = ("trader", "admin")
VERBS = (
    Verb("pause", "Pause", "No new entries; stops and targets go on."),
    Verb("continue", "Continue", "Lift the pause."),
    Verb("order", "Order", "A market order through all limits, filled at the next open."),
    Verb("close", "Close", "Leave a position, or a share of it, at the next open."),
    Verb("close-all", "Close all", "Leave every position at the next open."),
    Verb("set", "Set parameters", "Strategy parameters from the next decision on; what is open keeps its levels."),
    Verb("enable", "Enable", "Let a strategy decide again."),
    Verb("disable", "Disable", "A strategy decides nothing more; its positions go on."),
    Verb("blackout", "Blackout", "Add or remove a window without entries."),
    Verb("approve", "Approve", "Let a proposal become an order."),
    Verb("stop", "Stop", "End the session; with open positions only when they are closed too."),
    Verb("halt", "Emergency stop", "No order any more, and every position left, until a person releases it."),
    Verb("release", "Release", "Lift the emergency stop; names the person and the reason."),
)


class Paper:
    """The desk's part for paper trading. Every command is on the session's tape and in the audit trail."""

    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- reading

    def all(self) -> list[SessionRow]:
        """Every session, those that run first, then by name."""
        return []

    def get(self, name: str) -> SessionView:
        """One session; BadRequest where there is none of that name."""
        view: SessionView = required(None, "session", name)
        return view

    def halts(self) -> list[HaltRow]:
        """The kill switches that are set, the newest first."""
        return []

    # -- what may be done

    def verbs(self, row: SessionRow | None = None) -> dict[str, Verb]:
        """Name -> command, with the reason where the person, or the session's state, does not allow it."""
        from dataclasses import replace

        return {verb.name: replace(verb, refused=self.refused(verb.name, row)) for verb in VERBS}

    def refused(self, verb: str, row: SessionRow | None = None) -> str:
        """Why the person may not give a command, or the session not take it; empty where both may."""
        if verb not in {each.name for each in VERBS}:
            raise unknown("command", verb, [each.name for each in VERBS])
        if self._context.actor.role not in TRADERS:
            return f"needs the role {TRADERS[0]}"
        if row is not None and not row.open_ended:
            return f"{row.name} is {row.state}"
        return ""

    # -- changing

    def start(self, request: StartRequest) -> str:
        """Make the session, which the workers then run; its name."""
        self._check("order")
        raise BadRequest("sessions cannot be started here yet; start one with: tidemark paper start")

    def command(self, name: str, verb: str, arguments: Mapping[str, Any] | None = None, reason: str = "") -> None:
        """Give a session a command; it is worked after the last instant up to now."""
        row = self.get(name).row
        self._check(verb, row)

    def halt(self, reason: str, name: str = "", strategy: str = "", flatten: bool = True) -> None:
        """The kill switch: of all, of one session, or of a strategy in it. It stays until ``release``."""

    def release(self, reason: str, name: str = "", strategy: str = "") -> None:
        """Lift it; a reason is needed."""
        self._check("release")
        if not reason.strip():
            raise BadRequest("a release needs a reason; say why it is safe to trade again")

    def _check(self, verb: str, row: SessionRow | None = None) -> None:
        if why := self.refused(verb, row):
            raise BadRequest(f"{verb} is refused: {why}")
