"""The guards of append-only tables: triggers and functions as the migrations write them, compared with those of a database."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection

from worker.store.migrate import FOLDER

TRIGGER = re.compile(r"^\s*CREATE TRIGGER (?P<name>\w+)\s.*?\sON (?P<table>[\w.]+)", re.S | re.I)
FUNCTION = re.compile(r"^\s*CREATE (?:OR REPLACE )?FUNCTION (?P<name>\w+)\s*\(.*?\bAS \$\$(?P<body>.*)\$\$", re.S | re.I)
ALWAYS = re.compile(r"^\s*ALTER TABLE (\w+) ENABLE ALWAYS TRIGGER (\w+)", re.I)
EVENTS = re.compile(r"\b(BEFORE|AFTER) ((?:INSERT|UPDATE|DELETE|TRUNCATE)(?: OR (?:INSERT|UPDATE|DELETE|TRUNCATE))*) ON", re.I)
SQLITE = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
POSTGRES_TRIGGERS = """
SELECT t.tgname, c.relname, pg_get_triggerdef(t.oid), t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
"""
POSTGRES_FUNCTIONS = "SELECT proname, prosrc, prosecdef FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
OWNERS = """
SELECT DISTINCT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
AND c.relname IN ('audit_events', 'audit_links', 'audit_nodes', 'trials') AND pg_has_role(current_user, c.relowner, 'MEMBER')
"""
OWN = "The guards belong to the role that the program itself uses, which could remove them; docs/trail.md says how to give them to another."


@dataclass(frozen=True)
class Guard:
    """A trigger on ``table``, or a function (no table). ``text``: its definition, normalised; ``always``: fires also for a session that replicates, or runs with its owner's rights."""

    table: str
    text: str
    always: bool


def faults(connection: Connection) -> list[str]:
    """A sentence for each guard that is missing, altered, switched off, or not of this program."""
    expected, actual = _expected(connection.dialect.name, _revision(connection)), dict(_actual(connection))
    guarded = {guard.table for guard in expected.values() if guard.table}
    sentences = []
    for name, guard in expected.items():
        what = f"The trigger {name} on {guard.table}" if guard.table else f"The function {name}"
        if name not in actual:
            sentences.append(f"{what} is missing: the database no longer guards the table against changes.")
        elif actual[name].text != guard.text or actual[name].table != guard.table:
            sentences.append(f"{what} was altered: it is not the one that this program made.")
        elif actual[name].always != guard.always:
            sentences.append(f"{what} is switched off, or does not hold for every session.")
    strange = sorted(name for name, guard in actual.items() if guard.table in guarded and name not in expected)
    return [*sentences, *(f"The trigger {name} on {actual[name].table} is none of this program's." for name in strange)]


def remark(connection: Connection) -> str:
    """On PostgreSQL: that the program's own role could remove the guards, where it could."""
    return OWN if connection.dialect.name == "postgresql" and connection.exec_driver_sql(OWNERS).first() else ""


def _revision(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


@cache
def _expected(dialect: str, revision: str) -> dict[str, Guard]:
    """What the migrations up to ``revision`` wrote; of a name that was written twice, the last."""
    guards: dict[str, Guard] = {}
    for statement in _statements(dialect, revision):
        if match := TRIGGER.match(statement):
            guards[match["name"]] = Guard(match["table"], _normal(statement), False)
        elif match := FUNCTION.match(statement):
            guards[match["name"]] = Guard("", _squeezed(match["body"]), "SECURITY DEFINER" in statement)
        elif match := ALWAYS.match(statement):
            guards[match[2]] = Guard(guards[match[2]].table, guards[match[2]].text, True)
    return guards


def _statements(dialect: str, revision: str) -> Iterator[str]:
    """The statements of the guards: each migration lists them as ``SQLITE`` and ``POSTGRESQL``."""
    for path in sorted((FOLDER / "versions").glob("[0-9]*.py")):
        if path.name[:4] <= revision:
            spec = importlib.util.spec_from_file_location(f"migration_{path.stem}", path)
            assert spec and spec.loader
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            yield from getattr(module, dialect.upper(), ())


def _actual(connection: Connection) -> Iterator[tuple[str, Guard]]:
    if connection.dialect.name == "sqlite":
        for name, table, sql in connection.exec_driver_sql(SQLITE):
            yield name, Guard(table, _normal(sql or ""), False)
        return
    for name, table, definition, enabled in connection.exec_driver_sql(POSTGRES_TRIGGERS):
        yield name, Guard(table, _normal(definition), enabled == "A")
    for name, body, definer in connection.exec_driver_sql(POSTGRES_FUNCTIONS):
        yield name, Guard("", _squeezed(body), definer)


def _normal(definition: str) -> str:
    """Without what the databases write in their own way: white space, parentheses, schema, case, the order of events.

    >>> one = "CREATE TRIGGER a BEFORE UPDATE OR DELETE ON t FOR EACH ROW WHEN (NOT OLD.x) EXECUTE FUNCTION f()"
    >>> two = "CREATE TRIGGER a BEFORE DELETE OR UPDATE ON public.t FOR EACH ROW WHEN ((NOT old.x)) EXECUTE FUNCTION public.f()"
    >>> _normal(one) == _normal(two), _normal(one) == _normal(one.replace("NOT ", ""))
    (True, False)
    """
    ordered = EVENTS.sub(lambda match: f"{match[1]} {' OR '.join(sorted(match[2].upper().split(' OR ')))} ON", definition)
    return re.sub(r"[\s()]+", " ", ordered.replace("public.", "")).strip().lower()


def _squeezed(text: str) -> str:
    return " ".join(text.split())
