"""Keys that work on the pages."""

from __future__ import annotations

import pandas as pd

KEYS = (
    ("Every page", "Tab, Shift+Tab", "next or previous control"),
    ("Every page", "R", "read the page again"),
    ("Forms", "Ctrl+Enter", "submit: run the backtest, the sweep, the scan, the training"),
    ("Forms", "Enter", "take over the value of a field"),
    ("Forms", "F1", "open the help of a field, and go back to the field"),
    ("Forms", "Backspace", "remove the last choice of a list"),
    ("Forms", "arrow keys", "move between year, month and day of a date, and change them"),
    ("Forms", "Esc", "close a dialog or an open list"),
    ("Tables", "arrow keys", "move between cells"),
    ("Tables", "Space", "select the row"),
    ("Tables", "Ctrl+F", "search in the table"),
    ("Tables", "Ctrl+C", "copy the selected cells"),
    ("Menu", "Ctrl+click on an entry", "open the page in a new tab; its address is kept"),
)


def keys() -> pd.DataFrame:
    """Where, keys, and what they do: a row each."""
    return pd.DataFrame(KEYS, columns=["Where", "Keys", "What they do"])
