"""Tables exported as text, with cells escaped so that a spreadsheet runs none of them as a formula."""

from __future__ import annotations

import re

import pandas as pd

SIGNS = r"=+\-@|%" + "\uff1d\uff0b\uff0d\uff20\uff5c\uff05\ufe66\ufe62\ufe63\ufe6b\ufe6a"       # plain, fullwidth and small
BLANKS = r"[ \t\x00-\x08\x0e-\x1f\x7f\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]"
FORMULA = re.compile(rf"\A[\t\r\n]|(?:\A|[\n\r\v\f\x85\u2028\u2029]){BLANKS}*[{SIGNS}]")

NUMBER = re.compile(r"\A[+\-][\d.,\u00a0\u202f ]*\d[\u00a0\u202f ]?[A-Za-z%]*\Z")        # with its sign and perhaps a unit


def safe_text(text: str) -> str:
    """``text`` with an apostrophe in front if a spreadsheet would take it, or one of its lines, for a formula.

    >>> safe_text("=1+1"), safe_text("\u00a0\uff1d1"), safe_text("a\\n-b"), safe_text("a=b")
    ("'=1+1", "'\\xa0\uff1d1", "'a\\n-b", 'a=b')
    """
    return f"'{text}" if FORMULA.search(text) else text


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with column titles and text cells escaped; numbers, times and booleans unchanged.

    >>> safe(pd.DataFrame({"=tag": ["=1+1", "ok", " @x"], "pnl": [-1.5, 2.0, 0.0]})).to_csv(index=False)
    "'=tag,pnl\\n'=1+1,-1.5\\nok,2.0\\n' @x,0.0\\n"
    """
    words = {name: _words(frame[name]) for name in frame if not _plain(frame[name])}
    return frame.assign(**words).rename(columns=lambda name: safe_text(str(name)))


def safe_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` as a page shows it, whose table the browser can save as CSV: texts escaped, but numbers that are texts keep
    their sign, and titles and lists stay as they are.

    >>> safe_cells(pd.DataFrame({"note": ["=1+1", "-2+3|x"], "r": ["+1.25 R", "-3 %"], "n": [-1.5, 2.0]})).to_dict("list")
    {'note': ["'=1+1", "'-2+3|x"], 'r': ['+1.25 R', '-3 %'], 'n': [-1.5, 2.0]}
    """
    texts = [name for name in frame if not _plain(frame[name]) and any(_shown(value) is not value for value in frame[name])]
    return frame.assign(**{name: frame[name].astype(object).map(_shown) for name in texts})


def _shown(value: object) -> object:
    return safe_text(value) if isinstance(value, str) and FORMULA.search(value) and not NUMBER.match(value) else value


def csv_of(frame: pd.DataFrame) -> bytes:
    """CSV with ISO times in UTC, numbers in their shortest exact text, and words that a spreadsheet may open."""
    times = {name: frame[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)}
    return safe(frame.assign(**times)).to_csv(index=False).encode()


def _plain(column: pd.Series) -> bool:
    """Numbers and times cannot be formulas."""
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)


def _words(column: pd.Series) -> pd.Series:
    """Escape each distinct value once."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        kinds = column.cat.categories
        risky = any(isinstance(word, str) and safe_text(word) != word for word in kinds)
        return column.map(_cell).astype("object") if risky else column
    try:
        cells = {word: _cell(word) for word in column.unique()}
    except TypeError:       # lists and mappings, which are written as their text
        return column.map(lambda value: safe_text(str(value)))
    return column.map(cells) if any(cells[word] is not word and cells[word] != word for word in cells) else column


def _cell(value: object) -> object:
    return safe_text(value) if isinstance(value, str) else value
