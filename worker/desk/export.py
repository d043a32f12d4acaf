"""Tables that leave the house as text."""

from __future__ import annotations

import re

import pandas as pd

DANGEROUS = re.compile(r"(^|[\n\r])[ \t]*[=+\-@\t\r\n]")


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front; numbers keep their sign.

    >>> safe(pd.DataFrame({"tag": ["=1+1", "ok", " @x"], "pnl": [-1.5, 2.0, 0.0]})).values.tolist()
    [["'=1+1", -1.5], ['ok', 2.0], ["' @x", 0.0]]
    """
    words = [name for name in frame if not (pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_datetime64_any_dtype(frame[name]))]
    return frame.assign(**{name: [_quoted(value) for value in frame[name]] for name in words})


def _quoted(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and DANGEROUS.search(value) else value
