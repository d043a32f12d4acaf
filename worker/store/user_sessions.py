"""Browsers in which people signed in, and failures to sign in. Only hashes of cookies are kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import sign_in_failures, user_sessions, users


@dataclass(frozen=True)
class UserSession:
    """``digest``: of its cookie; ``device``: of the cookie that outlives it; ``how``: password or oidc; ``agent``: what the browser calls itself."""

    id: str
    user_id: str
    digest: str
    device: str
    how: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str


class UserSessions:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, session: UserSession) -> None:
        self._c.execute(sa.insert(user_sessions).values(**session.__dict__))

    def of_digest(self, digest: str, now: datetime) -> tuple[UserSession, str] | None:
        """A session that is valid, and its user's role at this moment; None where it ended, or its user is disabled."""
        query = select(user_sessions, users.c.role).join(users, users.c.id == user_sessions.c.user_id).where(user_sessions.c.digest == digest, *_valid(now))
        row = self._c.execute(query).mappings().one_or_none()
        return (_read(row), row["role"]) if row else None

    def valid(self, digests: Collection[str], now: datetime) -> set[str]:
        """Those whose sessions are valid."""
        query = select(user_sessions.c.digest).join(users, users.c.id == user_sessions.c.user_id).where(user_sessions.c.digest.in_(digests), *_valid(now))
        return set(self._c.scalars(query))

    def get(self, session_id: str) -> UserSession | None:
        row = self._c.execute(select(user_sessions).where(user_sessions.c.id == session_id)).mappings().one_or_none()
        return _read(row) if row else None

    def of_user(self, user_id: str, now: datetime) -> list[UserSession]:
        """Those that are not over, newest first; everybody's where no user is named."""
        mine = () if not user_id else (user_sessions.c.user_id == user_id,)
        query = select(user_sessions).join(users, users.c.id == user_sessions.c.user_id).where(*mine, *_valid(now)).order_by(user_sessions.c.created_at.desc(), user_sessions.c.id)
        return [_read(row) for row in self._c.execute(query).mappings()]

    def has_signed_in(self, user_id: str, device: str) -> bool:
        """Whether the user has signed in from that browser before."""
        return self._c.scalar(select(user_sessions.c.id).where(user_sessions.c.user_id == user_id, user_sessions.c.device == device).limit(1)) is not None

    def seen(self, session_id: str, at: datetime) -> None:
        self._c.execute(sa.update(user_sessions).where(user_sessions.c.id == session_id).values(seen_at=at))

    def revoke(self, who: str, at: datetime, session_id: str = "", user_id: str = "", but: str = "") -> list[str]:
        """End one session, or a user's, all ``but`` one; the ids of those that ended now."""
        which = user_sessions.c.id == session_id if session_id else sa.and_(user_sessions.c.user_id == user_id, user_sessions.c.id != but)
        ended = list(self._c.scalars(select(user_sessions.c.id).where(which, user_sessions.c.revoked_at.is_(None), user_sessions.c.expires_at > at).order_by(user_sessions.c.id)))
        self._c.execute(sa.update(user_sessions).where(user_sessions.c.id.in_(ended)).values(revoked_at=at, revoked_by=who))
        return ended


class SignInFailures:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def locked_until(self, keys: Collection[str], now: datetime) -> datetime | None:
        """The latest moment until which one of them is locked; None where none is."""
        return self._c.scalar(select(sa.func.max(sign_in_failures.c.locked_until)).where(sign_in_failures.c.key.in_(keys), sign_in_failures.c.locked_until > now))

    def count(self, key: str, at: datetime, forgotten: timedelta) -> int:
        """One more failure; how many there were since the last pause of ``forgotten``."""
        table = sign_in_failures
        self._c.execute(sa.delete(table).where(table.c.key == key, table.c.last_at < at - forgotten))
        added = insert(self._c, table).values(key=key, failures=1, last_at=at, locked_until=None)
        counted = added.on_conflict_do_update(index_elements=[table.c.key], set_=dict(failures=table.c.failures + 1, last_at=at)).returning(table.c.failures)
        return int(self._c.scalar(counted) or 0)

    def lock(self, key: str, until: datetime | None) -> None:
        self._c.execute(sa.update(sign_in_failures).where(sign_in_failures.c.key == key).values(locked_until=until))

    def uncount(self, key: str) -> int:
        """One fewer; how many are left."""
        changed = sa.update(sign_in_failures).where(sign_in_failures.c.key == key).values(failures=sign_in_failures.c.failures - 1).returning(sign_in_failures.c.failures)
        return int(self._c.scalar(changed) or 0)

    def forget(self, keys: Collection[str]) -> None:
        self._c.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.key.in_(keys)))

    def forget_old(self, before: datetime) -> None:
        self._c.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.last_at < before))


def _valid(now: datetime) -> tuple[Any, ...]:
    return user_sessions.c.revoked_at.is_(None), user_sessions.c.expires_at > now, users.c.disabled_at.is_(None)


def _read(row: Any) -> UserSession:
    return UserSession(**{name: row[name] for name in UserSession.__dataclass_fields__})
