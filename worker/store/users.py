"""People who may sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.schema import users


@dataclass(frozen=True)
class User:
    """``password``: a hash; ``subject``: of the account at an OpenID provider, bound at its first sign-in; ``totp``: the key of its codes, sealed."""

    id: str
    role: str
    password: str
    email: str
    subject: str | None
    totp: str
    totp_step: int
    totp_offered: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class Users:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, user: User) -> None:
        self._c.execute(sa.insert(users).values(**user.__dict__))

    def get(self, user_id: str) -> User | None:
        return self._first(users.c.id == user_id)

    def of_subject(self, subject: str) -> User | None:
        return self._first(users.c.subject == subject)

    def of_email(self, email: str) -> User | None:
        return self._first(sa.and_(users.c.email == email, users.c.email != ""))

    def all(self) -> list[User]:
        """By name."""
        return [User(**row) for row in self._c.execute(select(users).order_by(users.c.id)).mappings()]

    def change(self, user_id: str, **values: Any) -> None:
        self._c.execute(sa.update(users).where(users.c.id == user_id).values(**values))

    def use_step(self, user_id: str, step: int) -> bool:
        """Take a code's time step, and every one before it, out of use; False where that has happened already."""
        return self._c.execute(sa.update(users).where(users.c.id == user_id, users.c.totp_step < step).values(totp_step=step)).rowcount > 0

    def _first(self, which: Any) -> User | None:
        row = self._c.execute(select(users).where(which).order_by(users.c.id).limit(1)).mappings().one_or_none()
        return User(**row) if row else None
