"""People who may sign in, for whoever administers them. Users are never deleted, as the audit trail names them: they are disabled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from domain.errors import BadRequest, unknown
from worker.code_keys import CodeKeys
from worker.desk import passwords
from worker.desk.actor import RIGHTS, ROLES
from worker.desk.context import DeskContext
from worker.store import Unit
from worker.store.users import User

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}")


@dataclass(frozen=True)
class Person:
    """A user as listed. ``signs_in``: how; ``sessions``: how many are open."""

    id: str
    role: str
    state: str
    email: str
    signs_in: str
    code: bool
    sessions: int
    created_at: datetime
    created_by: str


@dataclass(frozen=True)
class SessionRow:
    """A browser in which somebody is signed in."""

    id: str
    user: str
    how: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class Users:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- reading

    def all(self) -> list[Person]:
        """By name."""
        with self._context.store.read() as unit:
            open_ = [session.user_id for session in unit.user_sessions.of_user("", unit.now())]
            return [_person(user, open_.count(user.id)) for user in unit.users.all()]

    def get(self, name: str) -> Person:
        with self._context.store.read() as unit:
            user = named(unit, name)
            return _person(user, len(unit.user_sessions.of_user(user.id, unit.now())))

    def sessions(self, name: str = "") -> list[SessionRow]:
        """Of one user, or everybody's, newest first."""
        with self._context.store.read() as unit:
            user_id = named(unit, name).id if name else ""
            return [SessionRow(each.id, each.user_id, each.how, each.address, each.agent, each.created_at, each.seen_at, each.expires_at) for each in unit.user_sessions.of_user(user_id, unit.now())]

    def roles(self) -> dict[str, frozenset[str]]:
        """Role -> what it may do beside reading."""
        return dict(RIGHTS)

    # -- changing

    def add(self, name: str, role: str = "viewer", password: str = "", email: str = "") -> Person:
        """A new user, who signs in with a password, or by an account of that e-mail address at the OpenID provider."""
        name, email = name.strip().casefold(), email.strip().casefold()
        if not NAME.fullmatch(name):
            raise BadRequest(f"a user's name is {name[:40]!r}; it has 2 to 32 small letters, digits, points, hyphens or underscores, such as ana.lee")
        if role not in ROLES:
            raise unknown("role", role, ROLES)
        if email and not EMAIL.fullmatch(email):
            raise BadRequest(f"the e-mail address is {email[:80]!r}; it must be one as ana@example.com")
        if not password and not email:
            raise BadRequest("a user needs a password, or the e-mail address of an account at the OpenID provider")
        kept = passwords.hashed(password, name) if password else ""
        with self._context.store.unit() as unit:
            unit.alone_with("users")
            if unit.users.get(name):
                raise BadRequest(f"there is a user {name} already; names are never given twice, as the audit trail has them")
            if email and (other := unit.users.of_email(email)):
                raise BadRequest(f"the address {email} is {other.id}'s")
            user = User(name, role, kept, email, None, "", 0, "", unit.now(), self._context.user, None)
            unit.users.add(user)
            unit.audit(self._context.user, "user_added", f"user:{name}", role=role, signs_in=_signs_in(user))
        return _person(user, 0)

    def role(self, name: str, role: str) -> Person:
        """Give a user another role; it holds from the next thing they do."""
        if role not in ROLES:
            raise unknown("role", role, ROLES)
        with self._context.store.unit() as unit:
            unit.alone_with("users")
            user = named(unit, name)
            if user.role != role:
                _refuse_last(unit, user, role)
                unit.users.change(user.id, role=role)
                unit.audit(self._context.user, "user_role_changed", f"user:{user.id}", before=user.role, after=role)
        return self.get(name)

    def disable(self, name: str) -> Person:
        """Refuse a user from now on, in open pages and by their tokens too."""
        with self._context.store.unit() as unit:
            unit.alone_with("users")
            user = named(unit, name)
            if user.disabled_at is None:
                _refuse_last(unit, user, "viewer")
                unit.users.change(user.id, disabled_at=unit.now())
                ended = unit.user_sessions.revoke(self._context.user, unit.now(), user_id=user.id)
                unit.audit(self._context.user, "user_disabled", f"user:{user.id}", sessions=len(ended))
        return self.get(name)

    def enable(self, name: str) -> Person:
        with self._context.store.unit() as unit:
            user = named(unit, name)
            if user.disabled_at is not None:
                unit.users.change(user.id, disabled_at=None)
                unit.audit(self._context.user, "user_enabled", f"user:{user.id}")
        return self.get(name)

    def set_password(self, name: str, password: str) -> Person:
        """A new password for a user, whose sessions end."""
        kept = passwords.hashed(password, name.strip().casefold())
        with self._context.store.unit() as unit:
            user = named(unit, name)
            unit.users.change(user.id, password=kept)
            ended = unit.user_sessions.revoke(self._context.user, unit.now(), user_id=user.id)
            unit.audit(self._context.user, "user_password_set", f"user:{user.id}", sessions=len(ended))
        return self.get(name)

    def reset_code(self, name: str) -> Person:
        """One-time codes are not needed any more, as where a phone was lost; the user sets them up anew."""
        with self._context.store.unit() as unit:
            user = named(unit, name)
            if user.totp or user.totp_offered:
                unit.users.change(user.id, totp="", totp_offered="")
                unit.audit(self._context.user, "user_code_reset", f"user:{user.id}")
        return self.get(name)

    def new_code(self, name: str) -> str:
        """A new key for one-time codes, in force at once; as an address that apps open. It is shown now and never again."""
        key = passwords.new_key()
        with self._context.store.unit() as unit:
            user = named(unit, name)
            unit.users.change(user.id, totp=CodeKeys(self._context.settings.home).seal(unit, user.id, key), totp_offered="", totp_step=0)
            unit.audit(self._context.user, "user_code_set", f"user:{user.id}")
        return passwords.key_address(key, user.id)

    def revoke(self, session_id: str) -> None:
        """End a session, in open pages too."""
        with self._context.store.unit() as unit:
            session = unit.user_sessions.get(session_id)
            if session is None:
                raise BadRequest(f"there is no session {session_id}; tidemark users sessions lists those that there are")
            if unit.user_sessions.revoke(self._context.user, unit.now(), session.id):
                unit.audit(self._context.user, "session_revoked", f"user:{session.user_id}", f"user_session:{session.id}")

    def revoke_all(self, name: str) -> int:
        """End every session of a user; how many there were."""
        with self._context.store.unit() as unit:
            user = named(unit, name)
            ended = unit.user_sessions.revoke(self._context.user, unit.now(), user_id=user.id)
            if ended:
                unit.audit(self._context.user, "session_revoked", f"user:{user.id}", *(f"user_session:{each}" for each in ended[:50]))
        return len(ended)


def named(unit: Unit, name: str) -> User:
    """The user of that name."""
    user = unit.users.get(name.strip().casefold())
    if user is None:
        raise unknown("user", name, [each.id for each in unit.users.all()])
    return user


def _refuse_last(unit: Unit, user: User, role: str) -> None:
    """The last administrator stays one: nobody could undo it on a page."""
    others = [each for each in unit.users.all() if each.role == "admin" and each.disabled_at is None and each.id != user.id]
    if user.role == "admin" and role != "admin" and user.disabled_at is None and not others:
        raise BadRequest(f"{user.id} is the last administrator; give somebody else the role admin first")


def _signs_in(user: User) -> str:
    return " or ".join(how for how, has in (("password", user.password), ("OpenID", user.email or user.subject)) if has)


def _person(user: User, sessions: int) -> Person:
    return Person(user.id, user.role, "disabled" if user.disabled_at else "active", user.email, _signs_in(user), bool(user.totp), sessions, user.created_at, user.created_by)
