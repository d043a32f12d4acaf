"""Output of commands: a table, or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def plain(value: Any) -> Any:
    """JSON has no NaN and no times."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def say(what: Any, as_json: bool, columns: Sequence[str] = ()) -> None:
    """Rows as a table of ``columns``, a mapping as lines; or all of it as JSON."""
    if as_json:
        print(json.dumps(plain(what), indent=1, ensure_ascii=False))
    elif isinstance(what, Mapping):
        width = max((len(key) for key in what), default=0)
        for key, value in what.items():
            print(f"{key.replace('_', ' '):<{width}}  {_text(value)}")
    else:
        _table(what, columns)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    cells = [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [min(max([len(name), *(len(row[k]) for row in cells)]), 60) for k, name in enumerate(columns)]
    for row in [[column.replace("_", " ") for column in columns], *cells]:
        print("  ".join(f"{cell[:width]:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    if not cells:
        print("(none)")


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
