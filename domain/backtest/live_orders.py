"""The signals that positions and orders of a live account still name, as the kernel reads them, with the names of their tags and groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from domain.backtest.protections import PROTECTION_NUMBERS, PROTECTION_WORDS, protection_of
from domain.backtest.state import ORDERS, PROTECTION, SIGNAL
from domain.compact import compact
from domain.trading.signal_row import Row

PRICES = ("price", "stop_loss", "target_1", "target_2", "target_3", "target_4")
PROTECTED = (*PROTECTION_NUMBERS, *PROTECTION_WORDS)
PLACES = 16
Key = tuple[Any, ...]
Windows = Callable[[int, Row], tuple[int, int]]        # number of a series, its signal -> rows of the tables of ATR and of moments to be flat


class Words:
    """A number for each word of a series, from 1 on; 0 for the empty one. A number is given once."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, str], int] = {}
        self.words: dict[int, str] = {0: ""}
        self.given = 0

    def number(self, k: int, word: str) -> int:
        if not word:
            return 0
        if (k, word) not in self.numbers:
            self.given += 1
            self.numbers[k, word], self.words[self.given] = self.given, word
        return self.numbers[k, word]

    def keep(self, numbers: Iterable[int]) -> None:
        """Forget all others."""
        wanted = set(numbers) | {0}
        self.words = {number: word for number, word in self.words.items() if number in wanted}
        self.numbers = {key: number for key, number in self.numbers.items() if number in wanted}


class Signals:
    """The tables of signals and protections. They grow, and are cleared of what nothing names when they are full."""

    def __init__(self, series: int) -> None:
        self.count, self.protections = 0, 0
        self.table, self.protection_table = np.zeros(PLACES, SIGNAL), np.zeros(PLACES, PROTECTION)
        self.given = [0] * series       # signals so far, by series
        self.entries = 0                # those that are no exits
        self.tags, self.groups = Words(), Words()
        self._protections: dict[Key, int] = {}
        self._text = ""                 # of what is stored beside the tables, until a signal comes

    @property
    def text(self) -> str:
        """What is stored beside the tables, as the middle of a JSON object."""
        if not self._text:
            words = {name: [[k, word, number] for (k, word), number in each.numbers.items()] for name, each in (("tags", self.tags), ("groups", self.groups))}
            self._text = compact(dict(words, given=self.given, entries=self.entries, words=[self.tags.given, self.groups.given]))[1:-1]
        return self._text

    def add(self, k: int, row: Row, windows: Windows, number: int | None = None) -> None:
        """One more signal; ``number``: of one that no bar decided, or of a row of a table (``row["number"]``), which need not be in the order of bars.
        There must be a place for it."""
        self._text, protection, prices = "", self._protection(k, row, windows), _on_grid(row)
        exits, size = row["order"] == "exit", row["size"]
        self.table[self.count] = (
            row.get("number", self.given[k]) if number is None else number, row["lots"], 1.0 if math.isnan(size) else size, prices[0], prices[1], prices[2:],
            row["side"], ORDERS.index(row["order"]), self.tags.number(k, row["tag"]), protection, self.groups.number(k, row["oco"]),
        )  # fmt: skip
        self.count += 1
        self.given[k] += number is None
        self.entries += not exits

    def is_full(self, coming: int) -> bool:
        return self.count + coming > len(self.table) or self.protections + coming > len(self.protection_table)

    def clear(self, holders: Iterable[np.ndarray], positions: np.ndarray, coming: int) -> None:
        """Keep the signals that ``holders`` (positions and orders) name, renumbered there, and the protections of them and of the positions;
        leave places for as many as are coming."""
        holders, self._text = list(holders), ""
        named = np.unique(np.concatenate([each["signal"] for each in holders]))
        kept = self.table[named]
        protections = np.unique(np.concatenate([kept["protection"], positions["protection"]]))
        rows = self.protection_table[protections]
        self._rebuild(kept, rows, coming)
        for each in holders:
            each["signal"] = np.searchsorted(named, each["signal"])
        self.table["protection"][: self.count] = np.searchsorted(protections, kept["protection"])
        positions["protection"] = np.searchsorted(protections, positions["protection"])
        places = {int(old): new for new, old in enumerate(protections)}
        self._protections = {key: places[old] for key, old in self._protections.items() if old in places}
        self.tags.keep(kept["tag"].tolist())
        self.groups.keep(kept["oco"].tolist())

    def restore(self, table: np.ndarray, protections: np.ndarray, given: list[int], entries: int) -> None:
        """Tables that were stored."""
        self._rebuild(table, protections, 0)
        self.given, self.entries, self._text = given, entries, ""

    def _rebuild(self, kept: np.ndarray, rows: np.ndarray, coming: int) -> None:
        self.count, self.protections = len(kept), len(rows)
        self.table = np.zeros(max(PLACES, 2 * (len(kept) + coming)), SIGNAL)
        self.protection_table = np.zeros(max(PLACES, 2 * (len(rows) + coming)), PROTECTION)
        self.table[: len(kept)], self.protection_table[: len(rows)] = kept, rows

    def _protection(self, k: int, row: Row, windows: Windows) -> int:
        key = (k if row["flat_by"] else -1, *(None if row[name] != row[name] else row[name] for name in PROTECTED))
        if key not in self._protections:
            self.protection_table[self.protections] = protection_of(row, *windows(k, row))[0]
            self._protections[key] = self.protections
            self.protections += 1
        return self._protections[key]


def _on_grid(row: Row) -> list[float]:
    prices: list[float] = (np.rint(np.array([row[name] for name in PRICES]) * 1e9) / 1e9).tolist()
    return prices
