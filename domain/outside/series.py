"""Economic series: what they are, when a value of theirs is known, and how their files are read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.market.readers.base import MAX_BYTES, MAX_ROWS
from domain.market.zones import DAY, HOUR
from domain.outside.rows import ReadTable, counted, text_of
from domain.outside.timed_values import TimedValues

TABLE = Path(__file__).with_name("series.toml")


@dataclass(frozen=True)
class EconomicSeries:
    """One row of the table of series. A value of a date is known ``weekdays`` after it, or ``days`` where there are none, at a time of day UTC."""

    name: str
    title: str
    file: str
    unit: str
    at: str
    revised: bool
    source: str
    weekdays: int = 0
    days: int = 0
    by_publication: bool = False        # each value is the first published, known from that day: no lag is assumed, and nothing is revised

    @property
    def lag(self) -> str:
        """
        >>> series()["US10Y"].lag, series()["US_INFLATION"].lag
        ('known 1 weekday later at 22:00 UTC', 'known 50 days later at 22:00 UTC')
        """
        if self.by_publication:
            return f"known from the day of its publication at {self.at} UTC"
        count, unit = (self.weekdays, "weekday") if self.weekdays else (self.days, "day")
        return f"known {count} {unit}{'' if count == 1 else 's'} later at {self.at} UTC"

    def known_at(self, dates: np.ndarray) -> np.ndarray:
        """When the values of these dates are known, nanoseconds UTC.

        >>> friday_and_saturday = np.array(["2024-07-12", "2024-07-13"], "datetime64[D]")
        >>> series()["US10Y"].known_at(friday_and_saturday).view("datetime64[ns]").astype("datetime64[m]").astype(str).tolist()
        ['2024-07-15T22:00', '2024-07-15T22:00']
        """
        dates = np.asarray(dates, "datetime64[D]")
        later = np.busday_offset(dates, self.weekdays, roll="backward") if self.weekdays else dates + self.days
        hours, minutes = map(int, self.at.split(":"))
        return later.astype(np.int64) * DAY + (hours * 60 + minutes) * (HOUR // 60)


@cache
def series() -> Mapping[str, EconomicSeries]:
    """Every series of the table by name.

    >>> series()["US_INFLATION"].revised, series()["VIX"].revised
    (True, False)
    """
    return {name: EconomicSeries(name=name, **row) for name, row in tomllib.loads(TABLE.read_text(encoding="utf-8")).items()}


def read_series(file: Path | IO[str], name: str) -> TimedValues:
    """The values of a series from a csv file, each with the instant from which it was known by the lag of its row in the table.

    The first column is the date; of the others, ``close`` or ``value`` where there is one, else the second. An empty value or a dot is none.

    >>> import io
    >>> read = read_series(io.StringIO("DATE,DGS10\\n2024-07-11,4.20\\n2024-07-12,.\\n2024-07-15,4.23"), "US10Y")
    >>> read.values.tolist(), read.times.view("datetime64[ns]").astype("datetime64[m]").astype(str).tolist()
    ([4.2, 4.23], ['2024-07-12T22:00', '2024-07-16T22:00'])
    """
    if name not in series():
        raise unknown("series", name, series())
    dates, values = _columns(file, name)
    valid = ~np.isnan(values)
    dates, values = dates[valid], values[valid]
    order = np.argsort(dates, kind="stable")
    return TimedValues(series()[name].known_at(dates[order]), values[order])


def series_table(path: Path, name: str, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> ReadTable:
    """``date, value, published`` of a series, packed or not, in the order of its dates: what ``read_series`` reads, each date once.
    Of a date that is there twice the last counts."""
    if name not in series():
        raise unknown("series", name, series())
    dates, values = _columns(StringIO(text_of(path, max_bytes)), name)
    if len(dates) > max_rows:
        raise BadRequest(f"{path.name} has more than {max_rows:,} rows, which is the limit; split it, or raise the limit in the settings")
    valid = pd.DataFrame(dict(date=dates, value=values))[~np.isnan(values)]
    if valid.empty:
        raise BadRequest(f"no row of {path.name} has a value of {name}; choose a file that holds some")
    once = valid.sort_values("date", kind="stable").drop_duplicates("date", keep="last", ignore_index=True)
    known_at = series()[name].known_at(once["date"].to_numpy("datetime64[D]"))
    frame = pd.DataFrame(dict(date=_aware(once["date"].to_numpy("datetime64[ns]")), value=once["value"], published=_aware(known_at.view("datetime64[ns]"))))
    return ReadTable(frame, tuple(_notes(len(dates) - len(valid), not valid["date"].is_monotonic_increasing, valid, len(valid) - len(once))))


def known_of(frame: pd.DataFrame) -> TimedValues:
    """The values of ``series_table``'s frame by when each was published."""
    return TimedValues(frame["published"].dt.as_unit("ns").astype("int64").to_numpy(), frame["value"].to_numpy(np.float64, copy=True))


def _aware(times: np.ndarray) -> pd.Series:
    return pd.Series(pd.to_datetime(times, utc=True)).dt.as_unit("ns")


def _notes(empty: int, disordered: bool, valid: pd.DataFrame, twice: int) -> Iterator[str]:
    if empty:
        yield counted(empty, "date has", "dates have", "no value.")
    if disordered:
        yield "The rows were not in the order of their dates; they are now."
    if twice:
        other = int((valid.drop_duplicates().groupby("date").size() > 1).sum())
        yield counted(twice, "row was", "rows were", f"of a date that was there already{f', {other:,} with another value: the last one counts' if other else ''}.")


def _columns(file: Path | IO[str], name: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        table = pd.read_csv(file, na_values=["."])
    except OSError as error:
        raise BadRequest(f"the file of {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadRequest(f"the file of {name} is not UTF-8 text; save it as a CSV with a date and a value") from None
    except ValueError:
        raise BadRequest(f"the file of {name} is not a CSV with a date and a value in every row; download it again") from None
    if len(table.columns) < 2:
        raise BadRequest(f"the file of {name} has the columns {', '.join(table.columns)}; it needs a date and a value")
    column = next((column_name for column_name in ("close", "value") if column_name in table), table.columns[1])
    dates = pd.to_datetime(table.iloc[:, 0], errors="coerce", format="%Y-%m-%d").to_numpy("datetime64[D]")
    if np.isnat(dates).any():
        row = int(np.isnat(dates).argmax())
        raise BadRequest(f"row {row + 2} of the file of {name} has the date {table.iloc[row, 0]!r}; it must be like 2024-07-12")
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
    if (bad := ~np.isfinite(values) & table[column].notna().to_numpy()).any():
        raise BadRequest(f"row {int(bad.argmax()) + 2} of the file of {name} has the value {table[column].iloc[int(bad.argmax())]!r}; it must be a number, or empty for none")
    return dates, values
