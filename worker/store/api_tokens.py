"""Tokens of programs: only their hashes are kept. And their requests, each answered once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import api_requests, api_tokens


@dataclass(frozen=True)
class ApiToken:
    """``digest``: SHA-256 of the secret; ``owner``: the user who made it while signed in, or None."""

    id: str
    name: str
    role: str
    digest: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    owner: str | None = None


class ApiTokens:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, token: ApiToken) -> None:
        self._c.execute(sa.insert(api_tokens).values(**token.__dict__))

    def of_digests(self, digests: Collection[str]) -> list[ApiToken]:
        return [ApiToken(**row) for row in self._c.execute(select(api_tokens).where(api_tokens.c.digest.in_(digests))).mappings()]

    def get(self, name: str) -> ApiToken | None:
        """By id, else the newest of that name."""
        return self._first(api_tokens.c.id == name) or self._first(api_tokens.c.name == name)

    def all(self) -> list[ApiToken]:
        """Newest first."""
        return [ApiToken(**row) for row in self._c.execute(select(api_tokens).order_by(api_tokens.c.created_at.desc(), api_tokens.c.id)).mappings()]

    def used(self, ids: Collection[str], at: datetime) -> None:
        self._c.execute(sa.update(api_tokens).where(api_tokens.c.id.in_(ids)).values(used_at=at))

    def revoke(self, token_id: str, at: datetime) -> bool:
        return self._c.execute(sa.update(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None)).values(revoked_at=at)).rowcount > 0

    def _first(self, which: Any) -> ApiToken | None:
        row = self._c.execute(select(api_tokens).where(which).order_by(api_tokens.c.created_at.desc()).limit(1)).mappings().one_or_none()
        return ApiToken(**row) if row else None


@dataclass(frozen=True)
class ApiRequest:
    """A request that named a key. ``digest``: of its method, address and body; ``status``: 0 while it is being answered."""

    actor: str
    key: str
    digest: str
    status: int
    headers: dict[str, str]
    body: str
    at: datetime


class ApiRequests:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def take(self, actor: str, key: str, digest: str, at: datetime, kept: timedelta, waits: timedelta) -> ApiRequest | None:
        """None where this request is the first of its key, which it then holds; else the earlier one. Answered ones are kept for ``kept``; one that was never answered, because its process ended, is
        taken over after ``waits``."""
        table = api_requests
        old = sa.or_(table.c.at < at - kept, sa.and_(table.c.status == 0, table.c.at < at - waits))
        self._c.execute(sa.delete(table).where(table.c.actor == actor, table.c.key == key, old))
        row = dict(actor=actor, key=key, digest=digest, status=0, headers={}, body="", at=at)
        if self._c.scalar(insert(self._c, table).values(**row).on_conflict_do_nothing().returning(table.c.key)):
            return None
        return ApiRequest(**self._c.execute(select(table).where(table.c.actor == actor, table.c.key == key)).mappings().one())

    def answer(self, actor: str, key: str, status: int, headers: dict[str, str], body: str) -> None:
        self._c.execute(sa.update(api_requests).where(api_requests.c.actor == actor, api_requests.c.key == key).values(status=status, headers=headers, body=body))

    def free(self, actor: str, key: str) -> None:
        """Forget a request that changed nothing, so that it may be requested again."""
        self._c.execute(sa.delete(api_requests).where(api_requests.c.actor == actor, api_requests.c.key == key))

    def forget(self, before: datetime) -> int:
        return self._c.execute(sa.delete(api_requests).where(api_requests.c.at < before)).rowcount
