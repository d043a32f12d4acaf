"""A command of a person, and the file of them: what was requested, when, by whom, with which arguments and why."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.params import build
from domain.parsing import object_of
from domain.trading.verbs import VERBS

COLUMNS = ("ts", "who", "command", "arguments", "reason")
NONE: Mapping[str, Any] = MappingProxyType({})
NAMED = ("release",)        # whoever lifts a kill switch says why


@dataclass(frozen=True)
class Command:
    """One command, worked after the last instant <= ``ts`` (nanoseconds, UTC). Made by ``command``, its verb and arguments are checked."""

    ts: int
    who: str
    command: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    @property
    def payload(self) -> Any:
        """Its arguments as the class of its verb."""
        return _checked(self.command, self.arguments)


def command(ts: int, who: str, verb: str, arguments: Mapping[str, Any] = NONE, reason: str = "") -> Command:
    """A checked command.

    >>> command(0, "ana", "close", {"instrument": "EURUSD", "share": 0.5}).payload.share
    0.5
    >>> command(0, "ana", "close", {"share": 2})
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: share is 2.0 of the lots open; it must be between 0.0 and 1.0
    >>> command(0, "ana", "clse")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no command named 'clse'; did you mean 'close'?
    """
    _checked(verb, arguments)
    if not who.strip():
        raise BadRequest(f"the command {verb} does not say who gave it; give who")
    if verb in NAMED and not reason.strip():
        raise BadRequest(f"{verb} needs a reason; say why trading may go on")
    return Command(int(ts), who.strip(), verb, dict(arguments), reason.strip())


def _checked(verb: str, arguments: Mapping[str, Any]) -> Any:
    payload: Any = build(VERBS[verb], arguments)
    if check := getattr(payload, "check", None):
        check()
    return payload


def in_order(commands: Iterable[Command]) -> list[Command]:
    """By time; of one time as they were given."""
    return sorted(commands, key=lambda each: each.ts)


# --- the file -------------------------------------------------------------------------------------------------------


def write_commands(commands: Sequence[Command]) -> str:
    """The text of commands.csv.

    >>> print(write_commands([command(10**18, "ana", "stop", {"close": True}, "week over")]), end="")
    ts,who,command,arguments,reason
    2001-09-09T01:46:40Z,ana,stop,"{""close"":true}",week over
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((text_of(each.ts), each.who, each.command, arguments_text(each.arguments), each.reason) for each in commands)
    return sink.getvalue()


def read_commands(text: str, name: str = "commands.csv") -> list[Command]:
    """The commands of a file, in the order of their times; the first bad one is named with its row.

    >>> read_commands("ts,who,command,arguments,reason\\n2024-03-05T10:00:00Z,ana,pause,,lunch\\n")[0].command
    'pause'
    >>> read_commands("ts,who,command,arguments,reason\\n2024-03-05T10:00:00,ana,pause,,\\n")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: row 1 of commands.csv: ts is '2024-03-05T10:00:00'; write it in ISO 8601 with its zone, such as 2024-01-31T08:00:00Z
    """
    try:
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise BadRequest(f"{name} is no CSV file: {error}") from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise BadRequest(f"{name} has the columns {', '.join(rows[0]) if rows else 'none'}; it must have {', '.join(COLUMNS)}")
    return in_order(_read(row, f"row {number} of {name}") for number, row in enumerate(rows[1:], 1) if row)


def _read(row: Sequence[str], where: str) -> Command:
    if len(row) != len(COLUMNS):
        raise BadRequest(f"{where} has {len(row)} cells; it must have {len(COLUMNS)}: {', '.join(COLUMNS)}")
    ts, who, verb, arguments, reason = row
    try:
        given = object_of(arguments, "arguments", '{"share": 0.5}') if arguments.strip() else {}
        return command(instant_of(ts), who, verb.strip(), given, reason)
    except BadRequest as error:
        raise type(error)(f"{where}: {error}") from None


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """Arguments as JSON, names in order; an empty text where there are none."""
    return json.dumps(dict(arguments), sort_keys=True, separators=(",", ":"), ensure_ascii=False) if arguments else ""


def instant_of(text: str) -> int:
    """Nanoseconds since 1970 of a time in ISO 8601 with its zone.

    >>> instant_of("2024-03-05T11:00:00.000000001+01:00") - instant_of("2024-03-05T10:00:00Z")
    1
    """
    given = text.strip()
    try:
        read = pd.Timestamp(given) if given[:4].isdigit() and "-" in given else pd.NaT
        if read is not pd.NaT and read.tzinfo is not None:
            return int(read.tz_convert("UTC").as_unit("ns").value)
    except (ValueError, OverflowError):
        pass
    raise BadRequest(f"ts is {given!r}; write it in ISO 8601 with its zone, such as 2024-01-31T08:00:00Z")


def text_of(ts: int) -> str:
    """A time in ISO 8601, UTC, with as many digits as it has.

    >>> text_of(1_709_632_800_000_000_000), text_of(1_709_632_800_250_000_000)
    ('2024-03-05T10:00:00Z', '2024-03-05T10:00:00.25Z')
    """
    whole = str(np.datetime64(int(ts), "ns"))
    return whole.rstrip("0").removesuffix(".") + "Z"
