"""Passwords and one-time codes: argon2id and RFC 6238."""

from __future__ import annotations

import hmac
import unicodedata
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore

from domain.errors import BadRequest

SHORTEST, LONGEST = 10, 256
AT_ONCE = BoundedSemaphore(2)       # hashes computed side by side: each takes 64 MiB
STEP = 30                           # seconds of a code
NOTHING = ""


def hashed(password: str, name: str = "") -> str:
    """The argon2id hash of a new password, which is checked first. ``name``: of the user, which it may not be."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequest(f"a password has {SHORTEST} to {LONGEST} letters, and this one {len(password)}; a sentence of several words is good")
    if len(set(password)) < 4 or (name and password.casefold().strip() in (name, name * 2, name[::-1])):
        raise BadRequest("this password is easily guessed; take a sentence of several words")
    with AT_ONCE:
        return str(_hasher().hash(_normal(password)))


def fits(stored: str, password: str) -> bool:
    """Whether the password is that of a hash. It takes the same time where there is no hash."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with AT_ONCE:
        try:
            return bool(_hasher().verify(stored or _nobody(), _normal(password[:LONGEST]))) and stored != NOTHING
        except (VerificationError, InvalidHashError):
            return False


def new_key() -> str:
    """A key for one-time codes, as apps take it: 160 bits in base32."""
    import pyotp

    return str(pyotp.random_base32(32))


def step_of(key: str, code: str, at: datetime) -> int | None:
    """The time step that a code is of: this one or a neighbour, as clocks differ; None where it fits none.

    >>> from datetime import UTC
    >>> key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    >>> step_of(key, "287 082", datetime.fromtimestamp(59, UTC)), step_of(key, "287082", datetime.fromtimestamp(150, UTC))
    (1, None)
    """
    import pyotp

    given, now, fitting = "".join(code.split()), int(at.timestamp()) // STEP, None
    for step in (now - 1, now, now + 1):
        if step >= 0 and hmac.compare_digest(pyotp.HOTP(key).at(step).encode(), given.encode()):
            fitting = step
    return fitting


def key_address(key: str, name: str) -> str:
    """The key as an otpauth:// address, which apps open."""
    import pyotp

    return str(pyotp.TOTP(key, name=name, issuer="Tidemark").provisioning_uri())


@cache
def _hasher():      # imported where passwords are used, and nowhere else
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobody() -> str:
    """The hash of a password that nobody has."""
    return str(_hasher().hash("nobody's password"))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
