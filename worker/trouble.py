"""Messages for failures of the environment: the database does not answer, the disk is full, the workspace is read-only. No message contains a secret."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

FULL = "The disk is full: nothing was half-written, and work resumes automatically once there is room. Free some space where the workspace and its tables lie."
CLOSED = "The workspace cannot be written: it is read-only, or belongs to another user. Make it writable, and work resumes automatically."
UNOPENED = "The database file cannot be opened: its folder is read-only or belongs to another user, or too many files are open here. Work resumes automatically once it can be."
BUSY = "The database is held by another writer for too long. Try again in a moment."
MISSING = "The database has no table {} any more: it was removed, or the database is damaged. Restore it from a backup."
AWAY = "The database does not answer: {}. Submitted jobs are saved, and work resumes automatically once it is back."
QUEUE = "The queue server does not answer. Jobs wait in the database, and start automatically once it is back."
BUCKET = "The bucket of bars and curves does not answer: {}. Work resumes automatically once it is back."
SHORTEST = 3        # letters; a password of fewer would be found in half of all words


def kinds() -> tuple[type[BaseException], ...]:
    """Exception types of environment failures, of the libraries loaded so far, for an ``except`` clause."""
    kinds_: list[type[BaseException]] = [OSError]
    for module, name in (("sqlalchemy.exc", "SQLAlchemyError"), ("redis.exceptions", "RedisError")):
        if module in sys.modules:
            kinds_.append(getattr(sys.modules[module], name))
    return tuple(kinds_)


def sentence_of(error: BaseException, *urls: str) -> str:
    """What failed and what to do; empty where the error is not of the environment. ``urls``: addresses whose secrets are left out.

    >>> sentence_of(OSError(errno.ENOSPC, "No space left on device")) == FULL, sentence_of(ValueError("x"))
    (True, '')
    """
    module = type(error).__module__.partition(".")[0]
    if module == "redis":
        return QUEUE
    if module == "sqlalchemy":
        return _of_database(error, urls)
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    if away(error):
        return BUCKET.format(redacted(str(error).strip().splitlines()[0].rstrip("."), *urls))
    return CLOSED if number == errno.EROFS else ""


def away(error: BaseException) -> bool:
    """Whether it is the bucket that does not answer, and not one of its files that is gone or damaged.

    >>> away(OSError("When reading information for key 'a': AWS Error NETWORK_CONNECTION during HeadObject operation")), away(FileNotFoundError(2, "a"))
    (True, False)
    """
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError) and "AWS Error" in str(error)


def _of_database(error: BaseException, urls: tuple[str, ...]) -> str:
    message = str(getattr(error, "orig", None) or error).strip()
    if re.search(r"disk is full|disk full|No space left|could not extend file", message):
        return FULL
    if re.search(r"readonly database|read-only", message):
        return CLOSED
    if "unable to open database file" in message:
        return UNOPENED
    if "locked" in message:
        return BUSY
    if missing := re.search(r"no such table: (\w+)|relation \"(\w+)\" does not exist", message):
        return MISSING.format(missing[1] or missing[2])
    if type(error).__name__ not in ("OperationalError", "InterfaceError", "TimeoutError", "DBAPIError", "DatabaseError") or "no such" in message:
        return ""
    return AWAY.format(redacted(message.splitlines()[0].rstrip(".") if message else "no reason given", *urls))


def redacted(text: str, *urls: str) -> str:
    """``text`` without the secrets in these addresses.

    >>> redacted("cannot open redis://:s3cr%65t@host as s3cret", "redis://:s3cr%65t@host/0?token=abc")
    'cannot open redis://:***@host as ***'
    """
    return without(text, secrets_of(*urls))


def without(text: str, secrets: Iterable[str]) -> str:
    """``text`` with stars in place of each secret, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def secrets_of(*urls: str) -> set[str]:
    """Passwords of addresses, as written and as meant, and all values of their options."""
    secrets: set[str] = set()
    for url in urls:
        try:
            parts = urlsplit(url)
            options = [value for pair in parts.query.split("&") for value in pair.partition("=")[2:] if value]
            given = [parts.password] if parts.password else []
        except ValueError:
            continue
        secrets |= {form for secret in (*given, *options) for form in (secret, unquote(secret)) if len(form) >= SHORTEST}
    return secrets


def addresses(settings: Any) -> tuple[str, str, str]:
    """The settings that may contain secrets."""
    return settings.database_url, settings.redis_url, settings.frames_url
