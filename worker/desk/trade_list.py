"""All trades of a run as they are read: filtered and ordered here, not on the page that is shown, and exported so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.trade_table import DEFINED, TradeFilter, in_order, trade_table
from domain.errors import BadRequest
from domain.market import instrument
from worker.desk.context import DeskContext, required
from worker.desk.export import file_of
from worker.desk.journal import Journal
from worker.desk.outcomes import label
from worker.store import Run

PAID = ["trade_id", "spread_cost", "slippage_cost"]
FORMS = ("csv", "parquet")


@dataclass(frozen=True)
class TradePage:
    """A page of the trades that fit, in their order. Of all that fit: ``count``, ``net`` (account currency) and ``won``; ``total``: trades of the run."""

    page: pd.DataFrame
    count: int
    net: float
    won: int
    total: int


class TradeList:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._journal = context, Journal(context)

    def definitions(self) -> Mapping[str, str]:
        """Column -> what it is."""
        return DEFINED

    def choices(self, run_id: str) -> dict[str, list[str]]:
        """What the trades can be filtered by: ``side``, ``instrument``, ``exit_reason``, ``tag`` and ``labels`` that there are."""
        names = ("side", "instrument", "exit_reason", "tag")
        trades = self._context.store.frames.get(self._run(run_id).frames["trades"], list(names))
        return {name: sorted(value for value in trades[name].astype(str).unique() if value) for name in names} | dict(labels=self._journal.of(run_id).labels)

    def find(self, run_id: str, chosen: TradeFilter = TradeFilter(), by: str = "trade_id", descending: bool = False, number: int = 1, size: int = 200) -> TradePage:
        """Page ``number`` (from 1) of the trades that fit ``chosen``."""
        every, fits = self._fitting(run_id, chosen)
        ordered = in_order(fits, by, descending)
        return TradePage(ordered.iloc[(number - 1) * size : number * size].reset_index(drop=True), len(fits), float(fits["pnl"].sum()), int((fits["pnl"] > 0).sum()), len(every))

    def place(self, run_id: str, trade_id: int, chosen: TradeFilter = TradeFilter(), by: str = "trade_id", descending: bool = False) -> int | None:
        """The position, from 0, of a trade among those that fit; None where it does not."""
        numbers = in_order(self._fitting(run_id, chosen)[1], by, descending)["trade_id"].to_numpy()
        places = np.flatnonzero(numbers == trade_id)
        return int(places[0]) if len(places) else None

    def download(self, run_id: str, chosen: TradeFilter = TradeFilter(), by: str = "trade_id", descending: bool = False, form: str = "csv") -> bytes:
        """Every trade that fits, with every column."""
        if form not in FORMS:
            raise BadRequest(f"trades are exported as {' or '.join(FORMS)}, not as {form}; choose one of them")
        fits = in_order(self._fitting(run_id, chosen)[1], by, descending)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what="trades", form=form, rows=len(fits))
        words = fits.assign(labels=fits["labels"].map(", ".join), exit_reason=fits["exit_reason"].map(label))
        return file_of(words.rename(columns=dict(pnl="net", costs="commission_paid")), form)

    def _fitting(self, run_id: str, chosen: TradeFilter) -> tuple[pd.DataFrame, pd.DataFrame]:
        every = self._journal.joined(run_id, self._table(self._run(run_id)))
        return every, every[chosen.rows(every)]

    def _table(self, run: Run) -> pd.DataFrame:
        frames = self._context.store.frames
        trades, fills = frames.get(run.frames["trades"]), frames.get(run.frames["fills"], PAID)
        return trade_table(trades, fills, self._pips(run, trades["instrument"].astype(str).unique()))

    def _pips(self, run: Run, names: Sequence[str]) -> dict[str, float]:
        """Of the instruments as the run had them; of an old run that does not name them, as they are now."""
        of_run: Mapping[str, Any] = run.manifest["spec"].get("instruments", {})
        return {name: float(of_run[name]["pip"]) if name in of_run else instrument(name, self._context.instruments_file).pip for name in names}

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)
