"""A column mapping: how a delimited file that no reader recognises lays out its bars, as a person says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from domain.errors import BadRequest, listed, unknown
from domain.market.bar_times import check_bar_time
from domain.market.bars import PRICES
from domain.market.clock import clock
from domain.market.readers import stamps
from domain.market.readers.layout import ASKS, QUOTES, Layout
from domain.market.readers.sample import kind_in
from domain.market.readers.text import split
from domain.market.side import QUOTED

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "blank"}
DECIMALS = {".": "point", ",": "comma"}
UNITS = {"price": "price units", "pips": "pips", "points": "points"}
BARS = ("time", "time_of_day", *PRICES, "volume", "spread")
ROLES = (*BARS, *ASKS, *QUOTES)
FORMATS = (stamps.ISO, stamps.DAY_FIRST, stamps.MONTH_FIRST, stamps.COMPACT, stamps.SECONDS, stamps.MILLIS, stamps.MICROS, stamps.NANOS)
MOST_LINES = 50     # above the rows
ALIASES = {"header": "header_lines", "tz": "clock", "zone": "clock"}


@dataclass(frozen=True)
class ColumnMapping:
    """``columns``: role -> the column's name in the header, or its number from 1.

    ``header_lines``: lines above the rows, the last of which names the columns; 0: there is none. ``time_format``: one of
    ``FORMATS``, or a pattern like ``%d %b %Y %H:%M``; empty: as the first rows show. ``clock`` and ``side``: empty where it
    is to be inferred, or chosen at import. ``bar_time``: open or close, empty where the weeks show it. ``names``: the header it was made on.

    >>> mapping = ColumnMapping(";", ",", 1, {"time": "Zeit", "open": 2, "high": 3, "low": 4, "close": 5})
    >>> mapping.layout(["Zeit;O;H;L;C", "02.01.2024 10:00;1,1;1,2;1,0;1,1"])
    Layout(separator=';', columns=('ts', 'open', 'high', 'low', 'close'), kind='DD.MM.YYYY', skip=1, origin=0, decimal=',')
    """

    separator: str = ","
    decimal: str = "."
    header_lines: int = 1
    columns: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))
    time_format: str = ""
    clock: str = ""
    side: str = ""
    spread_unit: str = "price"
    names: tuple[str, ...] = ()
    bar_time: str = ""

    def __post_init__(self) -> None:
        _one_of("separator", self.separator, SEPARATORS)
        _one_of("decimal sign", self.decimal, DECIMALS)
        _one_of("unit of the spread", self.spread_unit, UNITS)
        _one_of("side", self.side, ("", *QUOTED))
        if self.separator == self.decimal:
            raise BadRequest("a comma separates the columns and the decimals; choose another separator, or the point for decimals")
        if not isinstance(self.header_lines, int) or not 0 <= self.header_lines <= MOST_LINES:
            raise BadRequest(f"{self.header_lines} lines above the rows; give 0 to {MOST_LINES}")
        if self.time_format and not stamps.is_pattern(self.time_format):
            _one_of("time format", self.time_format, FORMATS)
        if self.clock:
            clock(self.clock)
        check_bar_time(self.bar_time)
        check_roles(self.columns)

    @property
    def ticks(self) -> bool:
        return "bid" in self.columns

    def to_json(self) -> dict[str, Any]:
        """``bar_time`` only where it is chosen."""
        document = {**vars(self), "columns": dict(self.columns), "names": list(self.names)}
        return document if self.bar_time else {key: value for key, value in document.items() if key != "bar_time"}

    def layout(self, lines: Sequence[str], name: str = "the file") -> Layout:
        """The layout of a file with these first lines; a column that is not there is refused."""
        names = names_of(lines, self.separator, self.header_lines)
        rows = [split(line, self.separator) for line in lines[self.header_lines :]]
        width = len(names) or max((len(row) for row in rows[:20]), default=0)
        if not rows:
            raise BadRequest(f"{name} has no rows under its first {self.header_lines} lines; give fewer header lines")
        columns = [""] * width
        for role, reference in self.columns.items():
            columns[_place(role, reference, names, width, name)] = self._layouts_word(role)
        return Layout(self.separator, tuple(columns), self._kind(columns, rows, name), self.header_lines, decimal=self.decimal)

    def fits(self, lines: Sequence[str]) -> bool:
        """Whether a file has the header that this was made on, or, without one, as many columns and a first row that can be read."""
        try:
            layout = self.layout(lines)
            stamps.parse_one(self._stamp(layout.columns, split(lines[self.header_lines], self.separator)), layout.kind)
        except (BadRequest, ValueError, IndexError):
            return False
        if not self.header_lines:
            return len(layout.columns) == len(self.names)
        return tuple(names_of(lines, self.separator, self.header_lines)) == self.names

    def _layouts_word(self, role: str) -> str:
        two = "time_of_day" in self.columns
        return {"time": "date" if two else "ts", "time_of_day": "time"}.get(role, role)

    def _kind(self, columns: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> str:
        """How the times are written: as chosen, else as the first rows show."""
        texts = [text for row in rows if (text := self._stamp(columns, row))]
        if self.time_format:
            _refuse_other_times(texts, self.time_format, name)
            return self.time_format
        kind = kind_in(texts)
        if kind is None:
            first = texts[0][:40] if texts else ""
            raise BadRequest(f"{name}: {first!r} in the time column is no time of a usual format; choose another column, or give the format as a pattern like %d %b %Y %H:%M")
        return kind

    def _stamp(self, columns: Sequence[str], row: Sequence[str]) -> str:
        places = [list(columns).index(word) for word in ("ts", "date", "time") if word in columns]
        return " ".join(row[at].strip() for at in places if at < len(row)).strip()


def check_roles(columns: Mapping[str, str | int]) -> None:
    """Refuses columns that make no bars: a missing price, or one column with two roles."""
    for role in columns:
        if role not in ROLES:
            raise unknown("column of bars", role, ROLES)
    if "time" not in columns:
        raise BadRequest("no column is chosen for the time; choose one")
    if any(role in columns for role in QUOTES):
        wanted: tuple[str, ...] = QUOTES
        if twice := [role for role in (*PRICES, *ASKS, "spread") if role in columns]:
            raise BadRequest(f"bid and ask make the bars themselves, and {listed(twice)} is chosen beside them; leave one of both out")
    else:
        wanted = (*PRICES, *ASKS) if any(role in columns for role in ASKS) else PRICES
    if missing := [role for role in wanted if role not in columns]:
        raise BadRequest(f"no column is chosen for {listed([role.replace('_', ' ') for role in missing])}; choose one for each")
    if "spread" in columns and "ask_open" in columns:
        raise BadRequest("the spread follows from the asks, and a column is chosen for it too; leave the spread out")
    used = list(columns.values())
    if repeated := [reference for reference in dict.fromkeys(used) if used.count(reference) > 1]:
        roles = [role.replace("_", " ") for role, reference in columns.items() if reference == repeated[0]]
        raise BadRequest(f"the column {repeated[0]!r} is chosen for {listed(roles)}; each needs a column of its own")


def mapping_of(document: Mapping[str, Any], what: str = "the mapping") -> ColumnMapping:
    """A mapping from TOML or JSON.

    >>> mapping_of({"columns": {"time": 1}}, "m.toml")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: no column is chosen for open, high, low, close; choose one for each
    """
    names = {each.name: each.type for each in fields(ColumnMapping)}
    given = {ALIASES.get(key, key): value for key, value in document.items()}
    for key, value in given.items():
        if key not in names:
            raise unknown(f"key of {what}", key, names)
        _check_type(key, value, names[key], what)
    columns = given.get("columns", {})
    for role, reference in columns.items():
        if isinstance(reference, bool) or not isinstance(reference, (str, int)):
            raise BadRequest(f"{what}: {role} is {reference!r}; write a column's name, or its number from 1")
    return ColumnMapping(**{**given, "columns": MappingProxyType(dict(columns)), "names": tuple(given.get("names", ()))})


def names_of(lines: Sequence[str], separator: str, header_lines: int) -> list[str]:
    """The names in the header; none where there is no header.

    >>> names_of(["# made by x", 'Time;"Open";'], ";", 2)
    ['Time', 'Open', '']
    """
    if not header_lines or len(lines) < header_lines:
        return []
    return [cell.strip().strip('"').strip() for cell in split(lines[header_lines - 1], separator)]


def _place(role: str, reference: str | int, names: Sequence[str], width: int, name: str) -> int:
    word = role.replace("_", " ")
    if isinstance(reference, int):
        if not 1 <= reference <= width:
            raise BadRequest(f"{name} has {width} columns, and the mapping takes its {word} from column {reference}; choose another column, or another separator")
        return reference - 1
    if reference not in names:
        raise BadRequest(f"{name} has no column {reference!r} for the {word}; its columns are {listed([each for each in names if each] or ['without names'], 12)}")
    if list(names).count(reference) > 1:
        raise BadRequest(f"{name} has more than one column {reference!r}; choose the {word} by its number")
    return list(names).index(reference)


def _refuse_other_times(texts: Sequence[str], kind: str, name: str) -> None:
    """Refuses a format in which none of the first times can be read."""
    fault = ""
    for text in texts[:20]:
        try:
            stamps.parse_one(text, kind)
            return
        except ValueError as error:
            fault = fault or str(error)
    raise BadRequest(f"{name}: {fault or 'the time column is empty'}; choose another column or another time format")


def _one_of(what: str, value: Any, choices: Any) -> None:
    if value not in tuple(choices):
        raise BadRequest(f"the {what} is {value!r}; give {' or '.join(repr(each) for each in choices if each)}")


def _check_type(key: str, value: Any, type_: Any, what: str) -> None:
    wanted: type | tuple[type, ...] = (list, tuple) if key == "names" else Mapping if key == "columns" else int if type_ == "int" else str
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise BadRequest(f"{what}: {key} is {value!r}; " + ("write it as a table, role = column" if key == "columns" else "write a whole number" if wanted is int else "write a text"))
