"""Files of bars as they were traded: with the ``end`` of each bar, and of several series where a column ``series`` names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from domain.errors import BadRequest, TidemarkError
from domain.parsing import shown

SERIES, END = "series", "end"
HEAD = 4096         # bytes in which the header of a CSV ends


class Part(NamedTuple):
    """The bars of one series, and the numbers of their rows. ``series`` is empty where the file has no such column."""

    series: str
    bars: Any
    rows: Any


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns of a CSV with commas, or of a Parquet file; none of another file."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"PAR1"):
        from pyarrow import parquet

        return tuple(parquet.read_schema(path).names)
    return tuple(word.strip().strip('"') for word in head.decode("utf-8-sig", "replace").partition("\n")[0].split(","))


def is_tape(path: Path) -> bool:
    """Whether a file says when its bars end, or whose they are."""
    from domain.market.bars import PRICES

    columns = columns_of(path)
    return {"ts", *PRICES} <= set(columns) and bool({SERIES, END} & set(columns))


def read(path: Path) -> list[Part]:
    """The bars of each series in the order in which the file first names them, as they stand; columns beyond those of bars are not read."""
    from domain.market.bars import COLUMNS

    columns = columns_of(path)
    if twice := next((name for name in (*COLUMNS, SERIES, END) if columns.count(name) > 1), ""):
        raise BadRequest(f"{shown(path)} has the column {twice} twice; give it once")
    wanted = [name for name in (SERIES, *COLUMNS, END) if name in columns]
    table = _table(path, columns, wanted)
    if not table.num_rows:
        raise BadRequest(f"{shown(path)} holds no bars; give a file with at least one")
    arrays = {name: _instants(table[name], name, path) if name in ("ts", END) else _numbers(table[name], name, path) for name in wanted if name != SERIES}
    return list(_parts(_names(table, path), arrays))


def _table(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> Any:
    """The wanted columns: of a CSV as text, of Parquet as they are."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        if path.read_bytes()[:4] == b"PAR1":
            return parquet.read_table(path, columns=list(wanted))
        options = csv.ConvertOptions(column_types={name: pa.string() for name in columns}, include_columns=list(wanted))
        return csv.read_csv(path, csv.ReadOptions(column_names=list(columns), skip_rows=1), convert_options=options)
    except pa.ArrowInvalid as error:
        raise BadRequest(f"{shown(path)} cannot be read as a table of bars: {str(error).splitlines()[0]}; write it again") from None


def _names(table: Any, path: Path) -> Any:
    """The series of each row, empty where the file has no such column."""
    if SERIES not in table.column_names:
        return np.full(table.num_rows, "", object)
    names = np.array([str(text or "").strip() for text in table[SERIES].to_pylist()], object)
    if (names == "").any():
        raise BadRequest(f"{_row(path, int((names == '').argmax()))}: series is empty; write an instrument and a timeframe, as in EURUSD M5")
    return names


def _instants(column: Any, name: str, path: Path) -> Any:
    """Nanoseconds; a time without a zone is in UTC."""
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        read = pd.Series(column.cast(pa.timestamp("ns", tz=column.type.tz)).to_pandas())
        times = read.dt.tz_localize("UTC") if read.dt.tz is None else read.dt.tz_convert("UTC")
    else:
        times = pd.to_datetime(pd.Series(column.to_pylist(), dtype="str").str.strip(), utc=True, format="ISO8601", errors="coerce").dt.as_unit("ns")
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise BadRequest(f"{_row(path, row)}: {name} is {column[row].as_py() or ''!r}, which is no time; write it like 2024-01-31T08:00:00Z")
    return np.ascontiguousarray(times.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]")).view(np.int64)


def _numbers(column: Any, name: str, path: Path) -> Any:
    """Float64 of the same text; NaN where a cell is empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.if_else(pc.equal(column, ""), None, column) if pa.types.is_string(column.type) else column
    try:
        return texts.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        row = next((k for k, text in enumerate(column.to_pylist()) if not _is_number(text)), 0)
        raise BadRequest(f"{_row(path, row)}: {name} is {column[row].as_py()!r}; it must be a number") from None


def _is_number(text: Any) -> bool:
    try:
        float(text or "nan")
    except (TypeError, ValueError):
        return False
    return True


def _parts(names: Any, arrays: dict[str, Any]) -> Iterator[Part]:
    import pandas as pd

    from domain.market import frame

    codes, series = pd.factorize(names)
    for code, text in enumerate(series):
        rows = codes == code
        columns: Any = {name: values[rows] for name, values in arrays.items()}
        yield Part(str(text), frame(columns.pop("ts"), **columns), np.flatnonzero(rows))


def checked(part: Part, instrument: Any, timeframe: Any, path: Path) -> Any:
    """The bars of a series, if they keep the contract of bars and are of its timeframe."""
    from domain.market import check

    whose = f"{shown(path)}, {instrument.name} {timeframe}"
    try:
        bars = check(part.bars, instrument.negative_prices)
    except TidemarkError as error:
        raise BadRequest(f"{whose}: {error}") from None
    _check_lengths(bars, timeframe, whose)
    _check_prices(bars, instrument, whose)
    return bars


def _check_lengths(bars: Any, timeframe: Any, whose: str) -> None:
    """No bar lasts longer than its timeframe; days last as long as their session."""
    if END not in bars or timeframe.ends_with_session:
        return
    long = ((bars[END] - bars["ts"]).dt.total_seconds() > timeframe.nanoseconds / 1e9).to_numpy()
    if long.any():
        row = bars.iloc[int(long.argmax())]
        raise BadRequest(f"{whose}: the bar of {row['ts']:%Y-%m-%d %H:%M:%S} ends at {row[END]:%Y-%m-%d %H:%M:%S}, which is longer than {timeframe}; give the timeframe that the bars have")


def _check_prices(bars: Any, instrument: Any, whose: str) -> None:
    """Prices and spreads of the instrument's size."""
    from domain.market.bars import PRICES
    from domain.market.plausible import implausible_prices, implausible_spreads, price_sentence, spread_sentence

    close = bars["close"].to_numpy()
    wrong = implausible_prices(tuple(bars[price].to_numpy() for price in PRICES), instrument)
    if wrong.any():
        raise BadRequest(f"{whose}: {price_sentence(close, instrument) or f'a price is of another order of magnitude, {close[wrong][0]:g}'}")
    spread = bars["spread"].to_numpy() if "spread" in bars else None
    if spread is not None and (odd := implausible_spreads(spread, close, instrument)).any():
        raise BadRequest(f"{whose}: a spread is {spread[odd][0]:g}, and {spread_sentence(spread, instrument)}")


def _row(path: Path, row: int) -> str:
    return f"row {row + 1} of {shown(path)}"
