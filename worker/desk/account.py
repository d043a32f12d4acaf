"""One's own account: password, one-time codes, sessions. Each change needs the password again."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from worker.code_keys import CodeKeys
from worker.desk import lockout, passwords
from worker.desk.context import DeskContext
from worker.desk.sign_in import LOCKED
from worker.desk.sign_in import end as end_session
from worker.desk.users import SessionRow, named
from worker.store import Unit
from worker.store.users import User


@dataclass(frozen=True)
class Me:
    """``signed_in``: False where there is no sign-in; ``password`` and ``code``: whether there is one."""

    id: str
    role: str
    signed_in: bool
    password: bool = False
    code: bool = False


@dataclass(frozen=True)
class Offered:
    """A new key for one-time codes, and the address by which apps take it."""

    key: str
    address: str


class Account:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._keys = context, CodeKeys(context.settings.home)

    def me(self) -> Me:
        actor = self._context.actor
        if not actor.session:
            return Me(actor.name, actor.role, False)
        with self._context.store.read() as unit:
            user = named(unit, actor.name)
        return Me(user.id, user.role, True, bool(user.password), bool(user.totp))

    def sessions(self) -> list[SessionRow]:
        """One's own, newest first."""
        if not self._context.actor.session:
            return []
        with self._context.store.read() as unit:
            return [SessionRow(each.id, each.user_id, each.how, each.address, each.agent, each.created_at, each.seen_at, each.expires_at) for each in unit.user_sessions.of_user(self._context.user, unit.now())]

    def end(self, session_id: str) -> None:
        """End a session of one's own."""
        with self._context.store.unit() as unit:
            session = unit.user_sessions.get(session_id)
            if session is None or session.user_id != self._context.user:
                raise BadRequest(f"you have no session {session_id}")
            end_session(unit, session)

    def sign_out(self) -> None:
        self.end(self._context.actor.session)

    def change_password(self, old: str, new: str) -> None:
        """A new password; one's other sessions end."""
        self._confirm(old)
        kept = passwords.hashed(new, self._context.user)
        with self._context.store.unit() as unit:
            unit.users.change(self._context.user, password=kept)
            ended = unit.user_sessions.revoke(self._context.user, unit.now(), user_id=self._context.user, but=self._context.actor.session)
            unit.audit(self._context.user, "user_password_set", f"user:{self._context.user}", sessions=len(ended))

    def offer_code(self, password: str) -> Offered:
        """A new key, which is in force when a code of it is given to ``confirm_code``."""
        self._confirm(password)
        key = passwords.new_key()
        with self._context.store.unit() as unit:
            unit.users.change(self._context.user, totp_offered=self._keys.seal(unit, self._context.user, key))
        return Offered(key, passwords.key_address(key, self._context.user))

    def confirm_code(self, code: str) -> None:
        """From now on signing in needs a code of the key that was offered."""
        with self._context.store.unit() as unit:
            user = self._me(unit)
            step = passwords.step_of(self._keys.open(user.id, user.totp_offered), code, unit.now()) if user.totp_offered else None
            if step is None:
                raise BadRequest("this is not the code that the app shows now; wait for the next one, and check the clock of the phone")
            unit.users.change(user.id, totp=user.totp_offered, totp_offered="", totp_step=step)
            unit.audit(user.id, "user_code_set", f"user:{user.id}")

    def drop_code(self, password: str) -> None:
        """Signing in needs no code any more."""
        self._confirm(password)
        with self._context.store.unit() as unit:
            unit.users.change(self._context.user, totp="", totp_offered="")
            unit.audit(self._context.user, "user_code_reset", f"user:{self._context.user}")

    def _confirm(self, password: str) -> None:
        """The password again, as somebody else may sit at the open page. Failures count as those of signing in do."""
        with self._context.store.unit() as unit:
            user = self._me(unit)
            counted = lockout.counts(user.id, "", f"account {user.id}")
            begun = lockout.begin(unit, counted)
        if isinstance(begun, lockout.Locked):
            raise BadRequest(LOCKED.format(f"{begun.seconds} s"))
        right = passwords.fits(user.password, password)
        with self._context.store.unit() as unit:
            if right:
                lockout.succeeded(unit, counted)
            else:
                unit.audit(user.id, "sign_in_failed", f"user:{user.id}", why="password again")
        if not right:
            raise BadRequest("the password is not right")

    def _me(self, unit: Unit) -> User:
        if not self._context.actor.session:
            raise BadRequest("nobody is signed in, so there is no account to change")
        return named(unit, self._context.user)
