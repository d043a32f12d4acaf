"""Taking a lock of SQLite: short waits instead of a back-off, so that no writer starves behind newer ones."""

from __future__ import annotations

import random
import sqlite3
import time

LONGEST = 15.0          # seconds, after which the database is reported as held
SHORT = 0.002           # seconds between two tries
PATIENCE = 0.020        # seconds; who has waited longer tries EAGER times as often
EAGER = 10


def begin_writing(connection: sqlite3.Connection) -> bool:
    """``BEGIN IMMEDIATE``; False where it cannot be had.

    SQLite's own handler waits the longer the longer it has waited, up to 100 ms between tries: of eight writers some then
    wait for seconds. Here the one that has waited longest tries most often.
    """
    return _patiently(connection, "BEGIN IMMEDIATE")


def write_ahead(connection: sqlite3.Connection) -> bool:
    """Keep changes in a write-ahead log; False where it cannot be had. Of several that turn it on in a new file at one moment SQLite refuses some at once and calls no handler."""
    return _patiently(connection, "PRAGMA journal_mode=WAL")


def _patiently(connection: sqlite3.Connection, statement: str) -> bool:
    began = time.monotonic()
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute(statement)
                return True
            except sqlite3.OperationalError as error:
                waited = time.monotonic() - began
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited > LONGEST:
                    return False
            time.sleep(SHORT * random.uniform(0.5, 1.0) / (EAGER if waited > PATIENCE else 1))
    finally:
        connection.execute(f"PRAGMA busy_timeout={LONGEST * 1000:.0f}")
