"""What a strategy is: it knows no broker, no cash and no clock, so the same object serves backtest and paper trading."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import pandas as pd

from domain.features import Use
from domain.params import build
from domain.registry import Registry

T = TypeVar("T")


class Strategy(Protocol):
    def features(self) -> tuple[Use, ...]:
        """The columns it needs beside the bars."""

    def signals(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One row per signal, in columns of domain.trading.signals; a row decided at bar t uses rows up to t."""


STRATEGIES: Registry[type] = Registry("strategy")


def strategy(name: str) -> Callable[[type[T]], type[T]]:
    """Register a frozen dataclass of ``param`` fields as the strategy ``name``."""

    def register(cls: type[T]) -> type[T]:
        STRATEGIES.add(name, cls)
        return cls

    return register


def make(name: str, params: Mapping[str, Any]) -> Strategy:
    """The strategy ``name`` with ``params`` over its defaults, checked."""
    return build(STRATEGIES[name], params)


def about(name: str) -> str:
    """What a strategy does, in one sentence."""
    return (inspect.getdoc(STRATEGIES[name]) or "").split("\n\n")[0].replace("\n", " ")
