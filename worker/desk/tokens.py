"""Tokens with which programs use the API: made, listed, revoked. The secret is shown once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import BadRequest, Forbidden, unknown
from worker.desk.actor import ROLES, Actor, covers, least
from worker.desk.context import DeskContext, required
from worker.store.api_tokens import ApiToken
from worker.store.ids import new_id
from worker.store.users import User

PREFIX = "tidemark_"        # so that scanners of leaked secrets find it
LONGEST, MOST_DAYS = 64, 366
SEEN = timedelta(minutes=1)     # how exactly its last use is kept


@dataclass(frozen=True)
class Token:
    """A token as it is listed. ``state``: valid, expired or revoked; ``owner``: the user whose it is, or nothing."""

    id: str
    name: str
    role: str
    state: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    owner: str = ""


class Tokens:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def all(self) -> list[Token]:
        """One's own, or everybody's for who administers them; newest first."""
        with self._context.store.read() as unit:
            now = unit.now()
            return [_listed(each, now) for each in unit.api_tokens.all() if self._mine(each)]

    def roles(self) -> tuple[str, ...]:
        """The roles that one may give: none with a right that one has not."""
        return tuple(role for role in ROLES if covers(self._context.actor.role, role))

    def create(self, name: str, role: str, days: int = 90) -> tuple[Token, str]:
        """A new token and its secret, which is shown now and never again."""
        if not 0 < len(name.strip()) <= LONGEST or not name.isprintable():
            raise BadRequest(f"the name of a token is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters, of the program that uses it")
        if role not in ROLES:
            raise unknown("role", role, ROLES)
        if not 1 <= days <= MOST_DAYS:
            raise BadRequest(f"a token is valid for 1 to {MOST_DAYS} days, and {days} was requested")
        if role not in self.roles():
            raise Forbidden(f"{self._context.user} has the role {self._context.actor.role} and may give a token the role {' or '.join(self.roles())}, not {role}")
        owner = self._context.user if self._context.actor.session else self._context.actor.person or None
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._context.store.unit() as unit:
            now = unit.now()
            token = ApiToken(new_id(), name.strip(), role, digest_of(secret), self._context.user, now, now + timedelta(days=days), None, None, owner)
            unit.api_tokens.add(token)
            unit.audit(self._context.user, "token_created", f"token:{token.id}", name=token.name, role=role, expires=token.expires_at.isoformat())
        return _listed(token, now), secret

    def revoke(self, name: str) -> Token:
        """A token, by id or name, is refused from now on."""
        with self._context.store.unit() as unit:
            token, now = required(unit.api_tokens.get(name), "token", name), unit.now()
            if not self._mine(token):
                raise Forbidden(f"the token {name} is {token.owner or token.created_by}'s; it needs the role admin")
            if unit.api_tokens.revoke(token.id, now):
                unit.audit(self._context.user, "token_revoked", f"token:{token.id}", name=token.name)
            return _listed(required(unit.api_tokens.get(token.id), "token", name), now)

    def actor_of(self, secret: str) -> Actor | None:
        """Who has this secret; None where nobody has it any more, or its owner is disabled. Its role is never more than its owner's."""
        actors, unseen = self.actors_of([secret])
        self.used(unseen)
        return actors.get(secret)

    def actors_of(self, secrets: Collection[str]) -> tuple[dict[str, Actor], set[str]]:
        """The same for several at once; and the ids of tokens whose use is to be kept."""
        digests = {digest_of(secret): secret for secret in secrets}
        with self._context.store.read() as unit:
            tokens, now = unit.api_tokens.of_digests(list(digests)), unit.now()
            owners = {name: unit.users.get(name) for name in {token.owner for token in tokens if token.owner}}
        actors = {digests[token.digest]: actor for token in tokens if (actor := _actor(token, owners.get(token.owner or ""), now))}
        return actors, {token.id for token in tokens if digests[token.digest] in actors and (token.used_at is None or now - token.used_at >= SEEN)}

    def used(self, ids: Collection[str]) -> None:
        """Keep that these tokens were used now."""
        if ids:
            with self._context.store.unit() as unit:
                unit.api_tokens.used(ids, unit.now())

    def _mine(self, token: ApiToken) -> bool:
        actor = self._context.actor
        return actor.may("administer") or token.owner == actor.behind


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _actor(token: ApiToken, owner: User | None, now: datetime) -> Actor | None:
    if _listed(token, now).state != "valid" or (token.owner and (owner is None or owner.disabled_at)):
        return None
    name = f"{token.name} ({token.id})"
    return Actor(f"{name} of {owner.id}", least(token.role, owner.role), owner.id) if owner else Actor(name, token.role, token.created_by)


def _listed(token: ApiToken, now: datetime) -> Token:
    state = "revoked" if token.revoked_at else "expired" if token.expires_at <= now else "valid"
    return Token(token.id, token.name, token.role, state, token.created_by, token.created_at, token.expires_at, token.used_at, token.owner or "")
