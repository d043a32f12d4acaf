"""A CSV of signals read as a table of text; errors name the row and column."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import BadRequest

if TYPE_CHECKING:
    import pandas as pd

SIGNALS = "signals"     # what a table of signals is called where a strategy has a name
REST = "\0rest"         # beyond the last column of the header: a comma at the end of each row makes one


def read(path: Path, name: str = "") -> pd.DataFrame:
    """Every cell as text, empty for none; commas at the end of rows are no columns. ``name``: what a person calls the file, if not by its path."""
    import pandas as pd

    name = name or str(path)
    names = _header(path, name)
    while names and not names[-1]:
        names.pop()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, dtype=str, keep_default_na=False, header=None, skiprows=1, names=[*names, REST], index_col=False, encoding="utf-8-sig")
    except pd.errors.EmptyDataError:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in names})
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        raise BadRequest(f"the signals {name} cannot be read: {_longer(path, len(names))}") from None
    except OSError as error:
        raise BadRequest(f"the signals {name} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError):
        raise BadRequest(f"the signals {name} are not a CSV in UTF-8; save them as one") from None
    table = table.fillna("")
    over = (table[REST].str.strip() != "").to_numpy()
    if over.any():
        row = int(over.argmax())
        raise BadRequest(f"row {row + 1} of the signals has the value {table[REST].iloc[row]!r} beyond its last column, {names[-1]}; give it a column in the first line")
    return table.drop(columns=REST)


def _longer(path: Path, columns: int) -> str:
    """Message on the first row with more cells than columns."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        line = next((reader.line_num for row in reader if len(row) > columns + 1), 0)
    return f"line {line} has more cells than the {columns} columns of the first line" if line else "a quote is opened and not closed"


def _header(path: Path, name: str) -> list[str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            names = [name.strip() for name in next(csv.reader(file), [])]
    except OSError as error:
        raise BadRequest(f"the signals {name} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise BadRequest(f"the signals {name} are not a CSV in UTF-8; save them as one") from None
    if not any(names):
        raise BadRequest(f"the signals {name} are empty; the first line names the columns, at least ts and side")
    if len(names) == 1 and (separator := next((mark for mark in ";\t|" if mark in names[0]), "")):
        raise BadRequest(f"the signals {name} are separated by {'tabs' if separator == chr(9) else separator}; separate the columns by commas")
    given = [name for name in names if name]
    if twice := next((name for k, name in enumerate(given) if name in given[:k]), ""):
        raise BadRequest(f"the signals {name} have the column {twice} twice; give it once")
    return names
