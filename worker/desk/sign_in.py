"""Signing in: password and code, or an OpenID provider's word; and what the cookie of a session is worth at this moment.

Whoever asks learns only whether it went well: an unknown name, a wrong password, a wrong code and a disabled user are answered alike, after the same work.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import Forbidden
from worker.code_keys import CodeKeyLost, CodeKeys
from worker.desk import lockout, passwords
from worker.desk.actor import Actor
from worker.desk.context import DeskContext
from worker.desk.tokens import digest_of
from worker.store import Unit
from worker.store.ids import new_id
from worker.store.user_sessions import UserSession
from worker.store.users import User

WRONG = "Name, password or code is not right."
LOCKED = "Too many attempts. Try again in {}."
NOBODY = "This account may not use Tidemark. An administrator adds it under its e-mail address."
SEEN = timedelta(minutes=1)         # how exactly the last use of a session is kept
UNKNOWN = "unknown"                 # who acts where nobody signed in: what was typed may be a password


class NotSignedIn(Forbidden):
    """``seconds``: until the next attempt, where there were too many."""

    def __init__(self, sentence: str, seconds: int = 0) -> None:
        super().__init__(sentence)
        self.seconds = seconds


@dataclass(frozen=True)
class Caller:
    """Whose browser asks. ``device`` and ``session``: its cookies, as they came."""

    address: str = ""
    agent: str = ""
    device: str = ""
    session: str = ""


@dataclass(frozen=True)
class SignedIn:
    """``secret`` and ``device``: the cookies to set."""

    user: str
    secret: str
    device: str
    seconds: int


@dataclass(frozen=True)
class Identity:
    """Of an account at an OpenID provider, from an id token that was checked. ``email``: only where the provider has verified it."""

    subject: str
    email: str


class SignIn:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def by_password(self, name: str, password: str, code: str, caller: Caller) -> SignedIn:
        """A new session; ``NotSignedIn`` where there is none."""
        name, store = name.strip().casefold()[:64], self._context.store
        with store.read() as unit:      # what is locked already costs no write
            device = digest_of(caller.device) if caller.device else ""
            counted = lockout.counts(name, caller.address, device if device and unit.user_sessions.has_signed_in(name, device) else "")
            already, user = lockout.locked(unit, counted), unit.users.get(name)
        begun = already or self._begun(counted)
        if isinstance(begun, lockout.Locked):
            raise NotSignedIn(LOCKED.format(_lasts(begun.seconds)), begun.seconds)
        right = passwords.fits(user.password if user else "", password)
        with store.unit() as unit:
            user = unit.users.get(name)
            why = _wrong(unit, user, right, code, CodeKeys(self._context.settings.home))
            if not why and user:
                lockout.succeeded(unit, counted)
                return self._session(unit, user, "password", caller)
            self._failed(unit, user, caller, why, begun)
        raise NotSignedIn(WRONG)

    def by_identity(self, identity: Identity, caller: Caller) -> SignedIn:
        """A new session for an account that its provider confirmed. The first time it is matched by its e-mail address, from then on by its subject."""
        with self._context.store.unit() as unit:
            user = unit.users.of_subject(identity.subject) or _first_time(unit, identity)
            if user and user.disabled_at is None:
                return self._session(unit, user, "oidc", caller)
            self._failed(unit, user, caller, "disabled" if user else "unknown account", 0)
        raise NotSignedIn(NOBODY)

    def actor_of(self, secret: str) -> Actor | None:
        """Who has this cookie, with the role of this moment; None where the session ended or its user is disabled."""
        if not secret:
            return None
        with self._context.store.read() as unit:
            now, entry = unit.now(), unit.user_sessions.of_digest(digest_of(secret), unit.now())
        if entry is None:
            return None
        session, role = entry
        if now - session.seen_at >= SEEN:
            with self._context.store.unit() as unit:
                unit.user_sessions.seen(session.id, now)
        return Actor(session.user_id, role, session=session.id)

    def valid(self, secrets_: Collection[str]) -> set[str]:
        """Those cookies whose sessions are valid."""
        by_digest = {digest_of(secret): secret for secret in secrets_}
        with self._context.store.read() as unit:
            return {by_digest[digest] for digest in unit.user_sessions.valid(list(by_digest), unit.now())}

    def sign_out(self, secret: str) -> None:
        """End the session of this cookie."""
        with self._context.store.unit() as unit:
            if entry := unit.user_sessions.of_digest(digest_of(secret), unit.now()):
                end(unit, entry[0])

    # -- parts

    def _begun(self, counted: tuple[lockout.Count, ...]) -> lockout.Locked | int:
        with self._context.store.unit() as unit:
            return lockout.begin(unit, counted)

    def _session(self, unit: Unit, user: User, how: str, caller: Caller) -> SignedIn:
        """A session under a new secret; the one that the browser had before is over, whoever gave it its cookie."""
        now, lasts = unit.now(), timedelta(hours=self._context.settings.people.session_hours)
        if caller.session and (before := unit.user_sessions.of_digest(digest_of(caller.session), now)):
            end(unit, before[0])
        secret, device = secrets.token_urlsafe(32), caller.device
        if not device or not unit.user_sessions.has_signed_in(user.id, digest_of(device)):
            device = secrets.token_urlsafe(32)
        session = UserSession(new_id(), user.id, digest_of(secret), digest_of(device), how, caller.address[:64], _printable(caller.agent), now, now, now + lasts, None, "")
        unit.user_sessions.add(session)
        unit.audit(user.id, "signed_in", f"user:{user.id}", f"user_session:{session.id}", how=how, address=session.address, role=user.role)
        return SignedIn(user.id, secret, device, int(lasts.total_seconds()))

    def _failed(self, unit: Unit, user: User | None, caller: Caller, why: str, locked: int) -> None:
        entities = (f"user:{user.id}",) if user else ()
        unit.audit(user.id if user else UNKNOWN, "sign_in_failed", *entities, why=why, address=caller.address[:64])
        if locked:
            unit.audit(user.id if user else UNKNOWN, "sign_in_locked", *entities, address=caller.address[:64], seconds=locked)


def end(unit: Unit, session: UserSession) -> None:
    """Its user signs out."""
    if unit.user_sessions.revoke(session.user_id, unit.now(), session.id):
        unit.audit(session.user_id, "signed_out", f"user:{session.user_id}", f"user_session:{session.id}")


def _wrong(unit: Unit, user: User | None, right: bool, code: str, keys: CodeKeys) -> str:
    """What is wrong with an attempt, for the trail; a code is used up by it where everything else is right."""
    if user is None:
        return "unknown name"
    if not right:
        return "password"
    if user.disabled_at:
        return "disabled"
    if not user.totp:
        return ""
    try:
        step = passwords.step_of(keys.open(user.id, user.totp), code, unit.now())
    except CodeKeyLost:
        return f"{keys.path.name} is missing"
    return "" if step is not None and unit.users.use_step(user.id, step) else "code"


def _first_time(unit: Unit, identity: Identity) -> User | None:
    """The user with that address and no account yet, who has this one from now on."""
    user = unit.users.of_email(identity.email.casefold()) if identity.email else None
    if user is None or user.subject is not None:
        return None
    unit.users.change(user.id, subject=identity.subject)
    unit.audit(user.id, "account_bound", f"user:{user.id}")
    return user


def _lasts(seconds: int) -> str:
    """
    >>> _lasts(60), _lasts(61), _lasts(12)
    ('1 minute', '2 minutes', '1 minute')
    """
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _printable(agent: str) -> str:
    return "".join(letter for letter in agent[:256] if letter.isprintable())
