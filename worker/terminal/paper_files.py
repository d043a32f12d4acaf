"""The files of a session, by the writers of ``tidemark backtest``: on tape and commands a backtest writes the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from domain.errors import BadRequest

TABLES = ("trades", "fills", "equity", "decisions")


def write(paper: Any, name: str, out: Path) -> list[str]:
    """trades.csv, fills.csv, equity.csv, decisions.csv, tape.csv and commands.csv of all that was worked; their names."""
    from worker.terminal import csv

    texts = {"tape.csv": _tape(paper.table(name, "tape"), paper.get(name).plan["series"]), "commands.csv": _commands(paper.table(name, "commands"))}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for kind in TABLES:
            csv.write(paper.table(name, kind), out / f"{kind}.csv")
        for file, text in texts.items():
            (out / file).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
    return [*(f"{kind}.csv" for kind in TABLES), *texts]


def _tape(table: Any, series: Sequence[str]) -> str:
    """In the order of the session's series, as a backtest of the file works them."""
    from domain.live.tape import TapeBar, by_series, write

    return write(by_series((TapeBar(*row) for row in _plain(table)), series))


def _commands(table: Any) -> str:
    from domain.live.command import Command, write_commands

    return write_commands([Command(*row) for row in _plain(table)])


def _plain(table: Any) -> Iterable[tuple[Any, ...]]:
    """Rows with times as nanoseconds."""
    times = {name: table[name].array.as_unit("ns").asi8 for name in table if str(table[name].dtype).startswith("datetime64")}
    return table.assign(**times).itertuples(index=False, name=None)
