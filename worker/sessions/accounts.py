"""The accounts of sessions; the engine is loaded when the first one is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.live.plan import Plan
from domain.live.tape import TapeBar
from worker.sessions.work import Account


class LiveAccounts:
    def start(self, plan: Plan, history: Iterable[TapeBar] = ()) -> Account:
        from domain.live.session import Session

        return Session.start(plan, history)

    def restore(self, plan: Plan, stored: bytes, tape: Iterable[TapeBar], commands: Iterable[Any] = ()) -> Account:
        from domain.live.session import Session

        return Session.restore(plan, stored, tape, commands)
