"""Policies: what to do with a signal, given what a model, the regime and the volatility say of it.

A policy is a frozen dataclass of parameters under ``@policy(name)``; ``fit`` sees the full rewards, of every action of every signal, and gives what acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from domain.errors import BadRequest
from domain.params import param
from domain.registry import Registry
from domain.training.actions import Action
from domain.training.filter import break_even
from domain.training.policy_tree import PolicyTree, fit_tree

Class = TypeVar("Class", bound=type)
POLICIES: Registry[type] = Registry("policy")
LEAST = 50              # signals that a policy is fitted to
RUIN = 0.001            # of equity that is left where a loss would take all of it, or more
FIELDS = ("p", "volatility", "side", "regime")


@dataclass(frozen=True)
class View:
    """What is known of each signal when it is decided. ``p``: calibrated chance that it turns out well. ``volatility``: of the market, any unit, NaN unknown.
    ``side``: 1 or -1. ``regime``: object, the name of the regime that was known, empty where none was."""

    p: np.ndarray
    volatility: np.ndarray
    side: np.ndarray
    regime: np.ndarray

    def __len__(self) -> int:
        return len(self.p)

    def take(self, rows: np.ndarray) -> View:
        return View(*(getattr(self, name)[rows] for name in FIELDS))


class FittedPolicy(Protocol):
    def act(self, view: View) -> np.ndarray:
        """int64, the number of the action for each signal; 0 is skip. One row or a million: the same."""

    def values(self) -> dict[str, Any]:
        """Plain values, which ``policy_from`` reads back."""


def policy(name: str) -> Callable[[Class], Class]:
    """Register a frozen dataclass of ``param`` fields with ``fit(view, r, weight, actions, risk) -> FittedPolicy``."""

    def register(cls: Class) -> Class:
        cls.name = name  # type: ignore[attr-defined]
        POLICIES.add(name, cls)
        return cls

    return register


def growth(r: np.ndarray, actions: Sequence[Action], risk: float) -> np.ndarray:
    """The rewards: log(1 + risk × size × R) of each signal (rows) and action (columns). ``r``: float64 of the same shape, 0 where the action opens nothing.

    What would lose all of the equity or more leaves a thousandth of it.

    >>> growth(np.array([[0.0, 2.0, -1.0]]), (Action(0.0), Action(1.0), Action(0.5)), 0.1).round(4).tolist()
    [[0.0, 0.1823, -0.0513]]
    """
    size = np.array([action.size for action in actions])
    return np.log(np.maximum(1.0 + risk * size * r, RUIN))


@policy("heuristic")
@dataclass(frozen=True)
class Heuristic:
    """Rules that a person could follow: skip below break-even and in regimes that lost; size by Kelly's share; in volatile markets a wide stop and half out early,
    in calm ones the signal's own stop and the farthest target."""

    volatile: float = param(0.67, low=0.0, high=1.0, unit="quantile", help="volatility, as a quantile of that of training, from which a market is volatile")
    losing: float = param(2.0, low=0.0, high=100.0, unit="standard errors", help="a regime is skipped where the mean R of training in it is that far below 0")

    def fit(self, view: View, r: np.ndarray, weight: np.ndarray, actions: Sequence[Action], risk: float) -> FittedHeuristic:
        _enough(view)
        own = r[:, own_action(actions)]
        if not (own > 0).any() or not (own <= 0).any():
            raise BadRequest(f"the policy heuristic needs wins and losses among the {len(own):,} signals that it is fitted to, and there are only {'wins' if (own > 0).any() else 'losses'}. Take longer validation and calibration windows")
        edge = float(np.quantile(view.volatility[np.isfinite(view.volatility)], self.volatile)) if np.isfinite(view.volatility).any() else float("inf")
        bad = tuple(str(regime) for regime in np.unique(view.regime.astype(str)) if _loses(own[view.regime == regime], self.losing))
        return FittedHeuristic(tuple(actions), break_even(own), edge, bad)


@dataclass(frozen=True)
class FittedHeuristic:
    """``p0``: chance of a win at which the signals break even. ``volatile``: volatility from which a market is volatile. ``bad``: regimes that are skipped."""

    actions: tuple[Action, ...]
    p0: float
    volatile: float
    bad: tuple[str, ...]

    def act(self, view: View) -> np.ndarray:
        volatile = view.volatility >= self.volatile
        share = np.clip((view.p - self.p0) / (1.0 - self.p0), 0.0, 1.0)
        skipped = ~(share > 0) | np.isin(view.regime.astype(str), self.bad)
        sizes = np.array(sorted({action.size for action in self.actions if action.size}))
        step = np.maximum(np.searchsorted(sizes, share * sizes[-1] + 1e-12, side="right") - 1, 0)
        table = np.array([[self._number(size, wild) for size in sizes] for wild in (False, True)])
        return np.where(skipped, 0, table[volatile.astype(np.int64), step])

    def values(self) -> dict[str, Any]:
        return dict(policy="heuristic", p0=self.p0, volatile=self.volatile if np.isfinite(self.volatile) else None, bad=list(self.bad))

    def _number(self, size: float, volatile: bool) -> int:
        """The action of that size for such a market."""
        fit = [(number, action) for number, action in enumerate(self.actions) if action.size == size]
        if volatile:
            return max(fit, key=lambda each: (each[1].stop, each[1].half, each[1].target))[0]
        return min(fit, key=lambda each: (abs(each[1].stop - 1.0), each[1].half, -each[1].target))[0]


@policy("learned")
@dataclass(frozen=True)
class Learned:
    """A tree over p, regime, volatility and side, grown on the rewards of all actions at once; each leaf takes the action whose mean reward is highest after what chance
    may have added to it, or skips."""

    depth: int = param(3, low=1, high=8, unit="splits", help="depth of the tree")
    leaf: int = param(100, low=10, high=1_000_000, unit="signals", help="fewest signals of a leaf")
    caution: float = param(1.0, low=0.0, high=10.0, unit="standard errors", help="taken off each mean before the best is chosen: of many actions the best looks better than it is")
    seed: int = param(0, low=0, high=2**31 - 1, help="settles ties between equally good splits")

    def fit(self, view: View, r: np.ndarray, weight: np.ndarray, actions: Sequence[Action], risk: float) -> FittedLearned:
        _enough(view)
        regimes = tuple(str(regime) for regime in np.unique(view.regime.astype(str)))
        middle = float(np.nanmedian(view.volatility)) if np.isfinite(view.volatility).any() else 0.0
        tree = fit_tree(features_of(view, regimes, middle), growth(r, actions, risk), weight, self.depth, self.leaf, self.caution, self.seed)
        return FittedLearned(tree, regimes, middle)


@dataclass(frozen=True)
class FittedLearned:
    """``regimes``: those of training; another one is none of them. ``middle``: stands for an unknown volatility."""

    tree: PolicyTree
    regimes: tuple[str, ...]
    middle: float

    def act(self, view: View) -> np.ndarray:
        return self.tree.chosen(features_of(view, self.regimes, self.middle))

    def values(self) -> dict[str, Any]:
        return dict(policy="learned", tree=self.tree.values(), regimes=list(self.regimes), middle=self.middle)


def features_of(view: View, regimes: Sequence[str], middle: float) -> np.ndarray:
    """float32 rows × (p, volatility, side, one for each regime)."""
    volatility = np.where(np.isfinite(view.volatility), view.volatility, middle)
    return np.column_stack([view.p, volatility, view.side, *((view.regime == regime) for regime in regimes)]).astype(np.float32)


def policy_from(values: dict[str, Any], actions: Sequence[Action]) -> FittedPolicy:
    """Of ``FittedPolicy.values``."""
    if values["policy"] == "heuristic":
        return FittedHeuristic(tuple(actions), values["p0"], float("inf") if values["volatile"] is None else values["volatile"], tuple(values["bad"]))
    return FittedLearned(PolicyTree.of(values["tree"]), tuple(values["regimes"]), values["middle"])


def own_action(actions: Sequence[Action]) -> int:
    """The number of the action that is nearest to the signal as it is: its own stop, its own targets, the size nearest to 1."""
    return min(range(1, len(actions)), key=lambda k: (abs(actions[k].stop - 1.0), actions[k].target != 0.0, actions[k].half, abs(actions[k].size - 1.0)))


def _loses(r: np.ndarray, errors: float) -> bool:
    return len(r) > 1 and bool(r.mean() < -errors * r.std(ddof=1) / np.sqrt(len(r)))


def _enough(view: View) -> None:
    if len(view) < LEAST:
        raise BadRequest(f"a policy is fitted to at least {LEAST} signals with a prediction that was not trained on them, and there are {len(view):,}. Take longer validation and calibration windows")
