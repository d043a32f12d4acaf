"""The actions that a policy chooses from: skip, or a size, a stop, a target, and whether half leaves on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.errors import BadRequest
from domain.params import param
from domain.trading.signals import LARGEST_SIZE, Columns

MOST = 200          # actions of a grid
TARGETS = range(1, 5)


@dataclass(frozen=True)
class Action:
    """``size``: share of the sizer's lots, 0 skips the signal. ``stop``: multiple of the signal's own stop distance. ``target``: in R of that stop, 0: the signal's own
    targets. ``half``: half of the lots leaves at 1 R."""

    size: float
    stop: float = 1.0
    target: float = 0.0
    half: bool = False

    @property
    def name(self) -> str:
        """
        >>> Action(0.5, 1.5, 2.0, True).name, Action(0.0).name
        ('size 0.5, stop 1.5, target 2 R, half at 1 R', 'skip')
        """
        if not self.size:
            return "skip"
        target = f"target {self.target:g} R" if self.target else "own target"
        return f"size {self.size:g}, stop {self.stop:g}, {target}{', half at 1 R' if self.half else ''}"

    @property
    def protection(self) -> tuple[float, float, bool]:
        """What a signal's R depends on: the size is none of it."""
        return self.stop, self.target, self.half


SKIP = Action(0.0)


@dataclass(frozen=True)
class ActionGrid:
    """Every combination of these is an action; half leaves at 1 R only on the way to a target beyond it."""

    sizes: str = param("0.5,1", unit="shares of the sizer's lots", help="sizes, comma-separated; the largest is the most that a policy may order")
    stops: str = param("0.75,1,1.5", unit="of the signal's stop distance", help="stops, comma-separated")
    targets: str = param("0,1,2,3", unit="R", help="targets, comma-separated; 0: as the signal has them")
    halves: bool = param(True, title="Half out", help="also with half of the lots leaving at 1 R")
    risk: float = param(0.01, low=0.0001, high=0.2, unit="share of equity", title="Risk", help="at risk to the stop at size 1; rewards are log(1 + risk × size × R)")

    def actions(self) -> tuple[Action, ...]:
        """Skip first.

        >>> [action.name for action in ActionGrid(sizes="1", stops="1", targets="0,2").actions()]
        ['skip', 'size 1, stop 1, own target', 'size 1, stop 1, target 2 R', 'size 1, stop 1, target 2 R, half at 1 R']
        """
        sizes = _numbers("sizes", self.sizes, 0.0, LARGEST_SIZE)
        stops, targets = _numbers("stops", self.stops, 0.0, 100.0), _numbers("targets", self.targets, -1.0, 1000.0)
        actions = (SKIP, *(Action(size, stop, target, half) for size in sizes for stop in stops for target in targets for half in ((False, True) if self.halves and target > 1 else (False,))))
        if len(actions) > MOST:
            raise BadRequest(f"the grid has {len(actions):,} actions; at most {MOST} fit. Take fewer sizes, stops or targets")
        if max(sizes) * self.risk >= 1:
            raise BadRequest(f"size {max(sizes):g} at risk {self.risk:g} puts all of the equity at risk; take less of either")
        return actions


def applied(columns: Columns, rows: np.ndarray, actions: Sequence[Action], expected: np.ndarray) -> Columns:
    """The signals at ``rows``, each with its action: size, stop and targets. ``expected``: the price at which each is expected to fill.

    Everything else stays. Raises BadRequest for grids, whose stop and target are those of all adds together.
    """
    taken: dict[str, Any] = {name: np.array(column[rows]) if isinstance(column, np.ndarray) else column[rows] for name, column in columns.items()}
    if np.isfinite(taken["grid_spacing"]).any():
        raise BadRequest("a policy chooses stops and targets, and a grid has one of each for all its orders; use a strategy without a grid")
    stop, target, half = (np.array([getattr(action, name) for action in actions], kind) for name, kind in (("stop", float), ("target", float), ("half", bool)))
    moved = (stop != 1.0) & np.isfinite(taken["stop_loss"])
    taken["stop_loss"] = np.where(moved, np.round(expected + stop * (taken["stop_loss"] - expected), 9), taken["stop_loss"])
    share = np.nan_to_num(taken["size"], nan=1.0)
    taken["size"] = np.minimum(share * np.array([action.size for action in actions], float), LARGEST_SIZE)
    _retarget(taken, target, half)
    return taken


def _retarget(taken: dict[str, Any], target: np.ndarray, half: np.ndarray) -> None:
    """Own targets where ``target`` is 0; else all of it at the target, or half at 1 R and half there."""
    new = target > 0
    for k in TARGETS:
        price, in_r, fraction = f"target_{k}", f"target_r_{k}", f"fraction_{k}"
        level = np.where(half, 1.0, target) if k == 1 else np.where(half, target, np.nan) if k == 2 else np.full(len(target), np.nan)
        part = np.where(half, 0.5, 1.0) if k == 1 else np.where(half, 0.5, np.nan) if k == 2 else np.full(len(target), np.nan)
        taken[price] = np.where(new, np.nan, taken[price])
        taken[in_r], taken[fraction] = np.where(new, level, taken[in_r]), np.where(new, part, taken[fraction])


def _numbers(name: str, text: str, above: float, most: float) -> tuple[float, ...]:
    """Distinct, ascending, above ``above`` and at most ``most``."""
    try:
        values = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        raise BadRequest(f"{name} are {text!r}; write numbers with commas between them, as in 0.5,1") from None
    if not above < values[0] or not values[-1] <= most:
        raise BadRequest(f"{name} are {text}; each must be {'0 or more' if above < 0 else 'above 0'} and at most {most:g}")
    return values
