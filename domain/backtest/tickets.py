"""Orders of a person among the signals of a run: rows behind those of the strategies, which no bar decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.backtest.prepare import Prepared
from domain.backtest.state import PROTECTION, SIGNAL
from domain.trading.signal_row import Row


class PlacedTicket(NamedTuple):
    """The ``number``-th ticket of an account, from 1, on a task."""

    number: int
    task: int
    row: Row


def with_tickets(prepared: Prepared, tickets: Sequence[PlacedTicket]) -> Prepared:
    """``prepared`` with a signal for each ticket at the end of its table. Their numbers are below 0, so those of the strategies stay as they are."""
    if not tickets:
        return prepared
    signals, tags = np.zeros(len(tickets), SIGNAL), [list(names) for names in prepared.tags]
    protections = prepared.inputs["protections"]
    for signal, ticket in zip(signals, tickets, strict=True):
        _write(signal, ticket, _tag(tags[ticket.task], ticket.row["tag"]), len(protections))
    plain = np.zeros(1, PROTECTION)
    for name in ("target_r", "break_even_r", "trail_value", "trail_start_r", "grid_spacing", "grid_first", "grid_factor", "grid_basket"):
        plain[name] = np.nan
    plain["fraction"], plain["flat"] = (1.0, 0.0, 0.0, 0.0), -1
    inputs = {**prepared.inputs, "signals": np.concatenate([prepared.inputs["signals"], signals]), "protections": np.concatenate([protections, plain])}
    return prepared._replace(inputs=inputs, tags=[np.asarray(names, dtype=object) for names in tags])


def _write(signal: np.void, ticket: PlacedTicket, tag: int, protection: int) -> None:
    row = ticket.row
    signal["number"], signal["side"], signal["order"], signal["tag"], signal["protection"] = -ticket.number - 1, row["side"], 0, tag, protection
    signal["lots"], signal["size"] = row["lots"], 1.0
    signal["price"], signal["stop"] = np.nan, _on_grid(row["stop_loss"])
    signal["target"] = [_on_grid(row[f"target_{k}"]) for k in range(1, 5)]


def _tag(names: list[str], tag: str) -> int:
    if tag not in names:
        names.append(tag)
    return names.index(tag)


def _on_grid(price: float) -> float:
    return float(np.rint(price * 1e9) / 1e9)
