"""Account histories from elsewhere: recognition of files, import, reading, deletion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

import pandas as pd

from domain.compliance import histories
from domain.compliance.histories.history import no_clock, path_of
from domain.compliance.histories.marks import COARSEST
from domain.compliance.path import Path
from domain.errors import BadRequest, listed
from domain.market import CLOCKS
from domain.market import clock as clock_named
from domain.market.timeframe import Timeframe
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.desk.incoming import Source, may_open_paths, of_this_machine, size_limited, stage, uploaded
from worker.store import AccountHistory, Dataset

WHAT = "an account history"
LONGEST = 120  # letters of a name
TABLES = {
    "points": "Balance and equity",
    "trades": "Trades",
    "flows": "Deposits and withdrawals",
    "rebuilt": "Equity rebuilt from bars",
}


@dataclass(frozen=True)
class StagedHistory:
    """A staged file: recognised, not yet imported. ``needs_clock``: its times are a server's, and somebody must say
    which."""

    file: str
    name: str
    size: int
    recognised: histories.Recognised

    @property
    def needs_clock(self) -> bool:
        return self.recognised.server_clock


class Histories:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- choices, and what is there

    def formats(self) -> dict[str, str]:
        """Key -> title of the formats that can be imported."""
        return {key: histories.HISTORY_READERS[key].title for key in histories.HISTORY_READERS}

    def clocks(self) -> dict[str, str]:
        """Key -> title of the clocks that have a name; any IANA zone and UTC+2 will do too."""
        return {key: CLOCKS[key].title for key in CLOCKS if key != "histdata"}

    def clock_name(self, history: AccountHistory) -> str:
        return clock_named(history.clock).title

    def all(self) -> list[AccountHistory]:
        """Newest first."""
        with self._context.store.read() as unit:
            return unit.histories.all()

    def get(self, name: str) -> AccountHistory:
        """By id, or by version."""
        with self._context.store.read() as unit:
            return required(unit.histories.get(name), "account history", name)

    def tables(self, name: str) -> dict[str, str]:
        """Key -> title of the tables of a history."""
        return {key: title for key, title in TABLES.items() if key in self.get(name).frames}

    def points(self, name: str) -> pd.DataFrame:
        """``ts, balance, equity`` (NaN where it is not known) and ``open``: the trades open after the instant."""
        return self._frame(name, "points")

    def trades(self, name: str) -> pd.DataFrame:
        return self._frame(name, "trades")

    def flows(self, name: str) -> pd.DataFrame:
        return self._frame(name, "flows")

    def path(self, name: str, rebuilt: bool = False) -> Path:
        """What rules are replayed over. ``rebuilt``: with the equity that was rebuilt from bars."""
        history = self.get(name)
        if rebuilt and "rebuilt" not in history.frames:
            raise BadRequest(f"the equity of {history.name} was not rebuilt from bars; rebuild it first")
        points = self._frame(name, "rebuilt" if rebuilt else "points")
        trades = self._frame(name, "trades") if "trades" in history.knows else None
        return path_of(points, trades, self._frame(name, "flows"), history.initial, history.currency)

    def _frame(self, name: str, table: str) -> pd.DataFrame:
        return self._context.store.frames.get(self.get(name).frames[table])

    # -- import

    def may_open_paths(self) -> bool:
        """May a page open files of this machine by their path?"""
        return may_open_paths(self._context.settings)

    def stage_upload(self, name: str, content: bytes | memoryview | IO[bytes]) -> StagedHistory:
        """Recognise an uploaded file and stage it under an internal name."""
        return self._staged(uploaded(name, content))

    def stage_path(self, path: str, own_rights: bool = False) -> StagedHistory:
        """Recognise a file of this machine and stage it. A page may open files that the settings allow, the terminal
        files that the user may read (``own_rights``)."""
        return self._staged(of_this_machine(path, self._context.settings, own_rights))

    def _staged(self, source: Source) -> StagedHistory:
        context = self._context
        return StagedHistory(
            *stage(
                context.store.frames,
                context.settings,
                context.quota,
                source,
                size_limited(histories.recognise, context.settings),
                WHAT,
            )
        )

    def discard(self, staged: StagedHistory) -> None:
        """Remove a file that will not be imported."""
        self._context.store.frames.discard(staged.file)

    def import_(
        self,
        staged: StagedHistory,
        clock: str = "",
        currency: str = "",
        initial: float | None = None,
        name: str = "",
        format: str = "",
    ) -> Submitted:
        """Import the file. ``clock``: whose times they are, needed of a broker's statement; ``currency`` and
        ``initial`` (balance at the start), where the file does not say."""
        format = format or staged.recognised.format
        reader = histories.HISTORY_READERS[format]
        clock = clock_named(clock.strip()).key if clock.strip() else ""
        if reader.server_clock and not clock:
            raise no_clock(staged.name, format)
        if initial is not None and not (math.isfinite(initial) and initial > 0):
            raise BadRequest(f"the initial balance is {initial:g}; it must be above 0")
        spec = dict(
            file=staged.file,
            source=staged.name,
            format=format,
            name=_named(name),
            clock=clock,
            currency=currency.strip().upper(),
            initial=None if initial is None else float(initial),
        )
        return self._context.submit("import_history", f"Import {staged.name}", spec, key=key_of("import_history", spec))

    # -- its equity between bookings

    def bars_for(self, name: str) -> dict[str, Dataset]:
        """Instrument -> the dataset that its trades would be marked on: the finest of M1 to H1 that covers them.

        Raises BadRequest naming every instrument without one.
        """
        legs = self._frame(name, "legs")
        with self._context.store.read() as unit:
            datasets = [
                dataset
                for dataset in unit.datasets.all()
                if Timeframe.named(dataset.timeframe).minutes <= COARSEST and not dataset.synthetic
            ]
        chosen = {
            str(instrument): _covering(part, [dataset for dataset in datasets if dataset.instrument == instrument])
            for instrument, part in legs.groupby("instrument")
        }
        if lacking := [instrument for instrument, dataset in chosen.items() if dataset is None]:
            raise BadRequest(
                f"there are no bars of M1 to H1 that cover the trades in {listed(lacking)}; import them first"
            )
        return {instrument: dataset for instrument, dataset in chosen.items() if dataset}

    def rebuild(self, name: str) -> Submitted:
        """Rebuild the equity between bookings from the workspace's bars; see
        ``domain.compliance.histories.rebuilt``."""
        history = self.get(name)
        if "legs" not in history.frames or not history.trades:
            raise BadRequest(f"{history.name} has no trades to mark on bars")
        spec = dict(
            history=history.id,
            version=history.version,
            datasets={instrument: dataset.version for instrument, dataset in self.bars_for(history.id).items()},
        )
        return self._context.submit(
            "rebuild_history", f"Rebuild the equity of {history.name}", spec, key=key_of("rebuild_history", spec)
        )

    # -- taking it along, and away

    def download(self, name: str, table: str = "points") -> bytes:
        """A table of a history as CSV."""
        history = self.get(name)
        if table not in history.frames:
            raise BadRequest(f"{history.name} has no table {table!r}; it has {', '.join(history.frames)}")
        rows = self._frame(name, table)
        with self._context.store.unit() as unit:
            unit.audit(
                self._context.user,
                "downloaded",
                f"history:{history.id}",
                what=f"account history {table}",
                form="csv",
                rows=len(rows),
            )
        return csv_of(rows)

    def rename(self, name: str, title: str) -> AccountHistory:
        history, title = self.get(name), _named(title)
        if not title:
            raise BadRequest("the name is empty; give the history a name")
        with self._context.store.unit() as unit:
            unit.histories.rename(history.id, title)
            unit.audit(self._context.user, "history_renamed", f"history:{history.id}", before=history.name, name=title)
        return self.get(history.id)

    def delete(self, name: str) -> AccountHistory:
        """Delete a history. Its audit events stay."""
        with self._context.store.unit() as unit:
            history = required(unit.histories.as_stored(name), "account history", name)
            unit.histories.remove(history.id)
            unit.jobs.forget_result("history", history.id)
            unit.audit(
                self._context.user,
                "history_deleted",
                f"history:{history.id}",
                name=history.name,
                version=history.version,
                file=history.file,
                trades=history.trades,
            )
        return history


def _covering(legs: pd.DataFrame, datasets: list[Dataset]) -> Dataset | None:
    """The finest of these that covers the trades; of equally fine ones the newest."""
    first, last = legs["entry_ts"].min(), max(legs["exit_ts"].max(), legs["entry_ts"].max())
    able = [
        dataset
        for dataset in datasets
        if dataset.first_ts <= first
        and dataset.last_ts + timedelta(minutes=Timeframe.named(dataset.timeframe).minutes) >= last
    ]
    return min(
        able,
        key=lambda dataset: (Timeframe.named(dataset.timeframe).minutes, -dataset.created_at.timestamp()),
        default=None,
    )


def _named(name: str) -> str:
    name = name.strip()
    if len(name) > LONGEST or not name.isprintable():
        raise BadRequest(f"the name is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters")
    return name
