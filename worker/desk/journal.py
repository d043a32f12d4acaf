"""The trading journal: a note and labels of one's own on a trade. They belong to the question, so running it again has them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from worker.desk.context import DeskContext, required
from worker.store import Run
from worker.store.trade_notes import TradeNote

LONGEST, MOST_LABELS, LABEL = 2_000, 10, 40      # characters of a note, labels on a trade, characters of a label
WHICH = ("instrument", "side", "entry_ts")


@dataclass(frozen=True)
class Notes:
    """``on``: trade -> its note. ``elsewhere``: notes of the same question whose trade this run does not have."""

    on: Mapping[int, TradeNote]
    elsewhere: Sequence[TradeNote]

    @property
    def labels(self) -> list[str]:
        """Every label in use, in order."""
        return sorted({label for note in self.on.values() for label in note.labels})


class Journal:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def of(self, run_id: str) -> Notes:
        """The notes on the trades of a run, whichever run of the same question they were written on."""
        run = self._run(run_id)
        with self._context.store.read() as unit:
            notes = unit.trade_notes.of(run.manifest["spec_hash"])
        if not notes:
            return Notes({}, ())
        trades = self._context.store.frames.get(run.frames["trades"], ["trade_id", *WHICH])
        placed = {note.trade: _number(note, trades) for note in notes}
        on = {number: note for note in notes if (number := placed[note.trade]) is not None}
        return Notes(on, [note for note in notes if placed[note.trade] is None])

    def joined(self, run_id: str, trades: pd.DataFrame) -> pd.DataFrame:
        """``trades`` with the columns ``labels`` (lists) and ``note``."""
        on = self.of(run_id).on
        return trades.assign(
            labels=[list(on[number].labels) if number in on else [] for number in trades["trade_id"]],
            note=[on[number].note if number in on else "" for number in trades["trade_id"]],
        )

    def save(self, run_id: str, trade: int, note: str, labels: Sequence[str] = ()) -> TradeNote | None:
        """Write the note and labels of a trade over what was there; without either, what was there is removed."""
        run, note, labels = self._run(run_id), note.strip(), _labels(labels)
        if len(note) > LONGEST:
            raise BadRequest(f"the note has {len(note):,} characters; write at most {LONGEST:,}")
        which, question = self._trade(run, trade), str(run.manifest["spec_hash"])
        with self._context.store.unit() as unit:
            before = unit.trade_notes.get(question, trade)
            kept = TradeNote(question, trade, run_id, str(which["instrument"]), str(which["side"]), which["entry_ts"].to_pydatetime(warn=False), note, labels, self._context.user, unit.now())
            if note or labels:
                unit.trade_notes.put(kept)
            else:
                unit.trade_notes.remove(question, trade)
            earlier = dict(note=before.note, labels=list(before.labels)) if before else None
            unit.audit(self._context.user, "trade_noted", f"run:{run_id}", trade=trade, question=question, note=note, labels=list(labels), before=earlier)
        return kept if note or labels else None

    def _trade(self, run: Run, number: int) -> Any:
        trades = self._context.store.frames.get(run.frames["trades"], ["trade_id", *WHICH])
        chosen = trades[trades["trade_id"] == number]
        if chosen.empty:
            raise BadRequest(f"run {run.id} has no trade {number}; its trades are 1 to {len(trades):,}")
        return chosen.iloc[0]

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            run = unit.runs.get(run_id)
        return required(run if run and run.kind == "backtest" else None, "backtest", run_id)


def _number(note: TradeNote, trades: pd.DataFrame) -> int | None:
    """The number in this run of the trade that a note is about: its own where that is still the trade, else that of the only one that fits."""
    fits = (trades["instrument"].astype(str) == note.instrument) & (trades["side"].astype(str) == note.side) & (trades["entry_ts"] == pd.Timestamp(note.opened))
    numbers = [int(number) for number in trades.loc[fits, "trade_id"]]
    return note.trade if note.trade in numbers else numbers[0] if len(numbers) == 1 else None


def _labels(labels: Sequence[str]) -> list[str]:
    cleaned = list(dict.fromkeys(" ".join(label.split()) for label in labels if label.strip()))
    if len(cleaned) > MOST_LABELS:
        raise BadRequest(f"there are {len(cleaned)} labels; give at most {MOST_LABELS}")
    for label in cleaned:
        if len(label) > LABEL:
            raise BadRequest(f"the label {label[:LABEL]}… has {len(label)} characters; a label has at most {LABEL}")
    return cleaned
