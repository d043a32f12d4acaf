"""Logs of every process: lines for people, or JSON for a collector; neither with a secret of the settings."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from worker.following import JOB, REQUEST
from worker.hidden import hide
from worker.secret_settings import secrets_of_settings
from worker.settings import Settings
from worker.trouble import without

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("dramatiq", "alembic", "numba", "fsspec")


class Redacting(logging.Formatter):
    """Lines as another formatter writes them, tracebacks included, without ``secrets``."""

    def __init__(self, before: logging.Formatter | None, secrets: Iterable[str]) -> None:
        super().__init__()
        self._before, self._secrets = before or logging.Formatter(), set(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return without(self._before.format(record), self._secrets)


class AsJson(logging.Formatter):
    """One object a line: at (UTC), level, logger, message, process; request, job and error (its traceback) where there are such."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = set(secrets)

    def format(self, record: logging.LogRecord) -> str:
        fields = dict(at=datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"), level=record.levelname, logger=record.name, message=record.getMessage(), process=os.getpid())
        fields |= {name: value for name, value in (("request", REQUEST.get()), ("job", JOB.get())) if value}
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps({key: without(value, self._secrets) if isinstance(value, str) else value for key, value in fields.items()}, ensure_ascii=False, default=str)


def set_up() -> None:
    """Before the settings are read: lines for people."""
    logging.basicConfig(level=logging.INFO, format=TEXT, stream=sys.stderr)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def follow(settings: Settings) -> None:
    """From now on every handler of this process writes as the settings say, and none of their secrets."""
    secrets = secrets_of_settings(settings)
    hide(secrets)
    for handler in set(_handlers()):
        handler.setFormatter(AsJson(secrets) if settings.logs.format == "json" else Redacting(handler.formatter, secrets))


def _handlers() -> Iterator[logging.Handler]:
    yield from logging.getLogger().handlers
    for logger in tuple(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield from logger.handlers
