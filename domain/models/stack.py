"""Several learners together: a linear model of what each says about samples that it was not trained on."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from domain.errors import BadRequest
from domain.models.base import LEARNERS, Fitted, Learner, Samples, Watch, learner, part_of
from domain.models.files import opened, sealed
from domain.params import build, param, params_of

HOUR = 3_600_000_000_000    # nanoseconds
LINE, LEAST, EDGE = "linear", 20, 1e-6


@learner("stack", targets=("fake", "win", "above", "barrier", "direction", "r", "return", "volatility"))
@dataclass(frozen=True)
class Stack:
    """A linear model of its members' forecasts. It is fitted to forecasts of blocks of the training part that the member forecasting them was not trained on, purged of
    every sample whose span touches the block, or starts within the embargo after it."""

    members: str = param("linear,fakeout", help="learners by name, separated by commas, each by its defaults")
    blocks: int = param(5, low=2, high=50, help="blocks of training samples, in the order of time, each forecast by members trained on the others")
    embargo: float = param(24.0, low=0.0, high=100_000.0, unit="hours", help="time after a block that nothing is learnt from")
    levels: str = param("", help="levels of quantiles of a number, ascending; empty forecasts the mean")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> FittedStack:
        members, count = self.learners(), self.blocks + 1
        forecasts, known = self._out_of_block(members, train, validation, seed, lambda share: watch(share * self.blocks / count))
        line = self._line(forecasts, train.take(np.flatnonzero(known)), np.flatnonzero(known), seed)
        names = tuple(members)

        def last(share: float, loss: float | None = None) -> None:
            watch((self.blocks + share) / count, loss)

        fitted = {name: members[name].fit(train, validation, seed, part_of(last, k, names)) for k, name in enumerate(names)}
        return FittedStack(fitted, line, train.task)

    def learners(self) -> dict[str, Learner]:
        """Members by name. Raises BadRequest for a name that comes twice and for a stack in a stack."""
        names = [name.strip() for name in self.members.split(",") if name.strip()]
        if len(names) < 2 or len(set(names)) < len(names) or "stack" in names:
            raise BadRequest(f"members is {self.members!r}; it must be two or more different learners, separated by commas, such as linear,fakeout")
        return {name: build(LEARNERS[name], dict(levels=self.levels) if self.levels and "levels" in {p.name for p in params_of(LEARNERS[name])} else {}) for name in names}

    def _line(self, forecasts: Mapping[str, np.ndarray], known: Samples, rows: np.ndarray, seed: int) -> Fitted:
        """The linear model of the forecasts."""
        names = tuple(f"{name} {number}" for name, values in forecasts.items() for number in range(values.shape[1]))
        seen = replace(known, matrix=np.concatenate(list(forecasts.values()), axis=1), columns=names, at=rows, first=np.zeros(len(rows), np.int64), beside={})
        line: Fitted = build(LEARNERS[LINE], dict(levels=self.levels) if seen.task == "number" else {}).fit(seen, seen.take(np.zeros(0, np.int64)), seed, _quiet)
        return line

    def _out_of_block(self, members: Mapping[str, Learner], train: Samples, validation: Samples, seed: int, watch: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """float32 samples × outputs of each member, and which samples have a forecast: those of blocks that left enough to train on."""
        blocks = np.array_split(np.argsort(train.start, kind="stable"), self.blocks)
        forecasts: dict[str, np.ndarray] = {}
        known = np.zeros(len(train), bool)
        for b, block in enumerate(blocks):
            rest = apart(train, block, int(self.embargo * HOUR))
            if not _enough(train, rest):
                continue
            for k, (name, member) in enumerate(members.items()):
                fitted = member.fit(train.take(rest), validation, seed, lambda share, loss=None, k=k, b=b: watch((b + (k + share) / len(members)) / self.blocks))
                values = _scores(_outputs(fitted, train.take(block), fitted.bars), train.task)
                forecasts.setdefault(name, np.full((len(train), values.shape[1]), np.nan, np.float32))[block] = values
            known[block] = True
        if known.sum() < LEAST:
            raise BadRequest(f"a stack of {self.blocks} blocks needs more training samples than {len(train):,}: too few are left once those near each block are taken out. Give more bars, or fewer blocks")
        return forecasts, known


def apart(train: Samples, block: np.ndarray, embargo: int) -> np.ndarray:
    """Rows whose spans have no instant in common with the block's hull, and that do not start within ``embargo`` nanoseconds after it.

    >>> at = np.arange(4); ones = np.ones(4)
    >>> train = Samples(np.zeros((4, 1), np.float32), ("a",), at, ones, at * 10, at * 10 + 10, ones, at, at)
    >>> apart(train, np.array([1]), 5).tolist()
    [3]
    """
    first, last = train.start[block].min(), train.end[block].max()
    return np.flatnonzero((train.end < first) | (train.start > last + embargo))


@dataclass(frozen=True)
class FittedStack:
    """``members``: fitted on the whole training part. ``line``: of their forecasts."""

    members: Mapping[str, Fitted]
    line: Fitted
    task: str

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.line.outputs

    @property
    def bars(self) -> int:
        return max(member.bars for member in self.members.values())

    @property
    def reproducible(self) -> bool:
        return all(getattr(member, "reproducible", True) for member in self.members.values())

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """As ``Fitted.predict``; a member that looks at fewer bars sees the latest of them."""
        return self.line.predict(np.concatenate([_scores(member.predict(_latest(rows, member.bars)), self.task) for member in self.members.values()], axis=1))

    def files(self) -> dict[str, bytes]:
        named = {f"{name}/{file}": content for name, member in {**self.members, "line": self.line}.items() for file, content in member.files().items()}
        return sealed("stack", dict(members=list(self.members), outputs=list(self.outputs), task=self.task), named)

    @property
    def spread(self) -> float:
        return float(getattr(self.line, "spread", 1.0))

    def splits(self) -> list[tuple[int, float]]:
        """Column and threshold of every split of its trees, each once."""
        return sorted({split for member in self.members.values() if hasattr(member, "splits") for split in member.splits()})

    def onnx(self) -> bytes | None:
        """Its members' graphs in one; None where a member has none."""
        from domain.models.export_stack import stacked

        line, graphs = self.line.onnx(), [(member.onnx(), member.bars) for member in self.members.values()]
        written = [(content, bars) for content, bars in graphs if content is not None]
        return stacked(written, self.bars, line, self.task, EDGE, self.outputs) if line is not None and len(written) == len(graphs) else None

    def contributions(self, rows: np.ndarray) -> None:
        return None


def load(files: Mapping[str, bytes]) -> FittedStack:
    """Of ``FittedStack.files``; damaged ones are refused."""
    sheet = opened(files, "stack")

    def part(name: str, registered: str) -> Fitted:
        own = {file.removeprefix(f"{name}/"): content for file, content in files.items() if file.startswith(f"{name}/")}
        fitted: Fitted = importlib.import_module(LEARNERS[registered].__module__).load(own)
        return fitted

    return FittedStack({name: part(name, name) for name in sheet["members"]}, part("line", LINE), sheet["task"])


def _outputs(fitted: Fitted, samples: Samples, bars: int) -> np.ndarray:
    return fitted.predict(samples.window(bars) if bars > 1 else samples.rows())


def _latest(rows: np.ndarray, bars: int) -> np.ndarray:
    """The last ``bars`` of each window, or the last row."""
    if rows.ndim == 2:
        return rows
    return rows[:, -1] if bars == 1 else rows[:, -bars:]


def _scores(values: np.ndarray, task: str) -> np.ndarray:
    """float32, log-odds of probabilities."""
    if task == "number":
        return values.astype(np.float32)
    clipped = np.clip(values, EDGE, 1 - EDGE)
    return np.log(clipped / (1 - clipped)).astype(np.float32)


def _enough(train: Samples, rows: np.ndarray) -> bool:
    return len(rows) >= LEAST and (train.task == "number" or len(np.unique(train.y[rows])) == len(np.unique(train.y)))


def _quiet(share: float, loss: float | None = None) -> None:
    """Watches nothing."""
