"""Whether a session is still what it was when its page was opened: checked with each call of the desk."""

from __future__ import annotations

import time
from collections.abc import Callable

from domain.errors import Forbidden, SignedOut
from worker.desk.actor import Actor
from worker.desk.sign_in import SignIn

MOMENT = 1.0        # seconds that an answer holds for what only reads


def still_of(sign_in: SignIn, secret: str, actor: Actor, clock: Callable[[], float] = time.monotonic) -> Callable[[bool], None]:
    """Raises ``SignedOut`` where the session of the cookie ended, ``Forbidden`` where its user's role is another one now."""
    checked_at = clock()

    def still(anew: bool) -> None:
        nonlocal checked_at
        if not anew and clock() - checked_at < MOMENT:
            return
        now = sign_in.actor_of(secret)
        if now is None:
            raise SignedOut("You are signed out. Sign in again to go on")
        if now != actor:
            raise Forbidden(f"your role is {now.role} now, and was {actor.role} when this page was opened; load it again")
        checked_at = clock()

    return still
