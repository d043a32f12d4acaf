"""Strategies: frozen parameters and one pure function from a frame to signals."""

from domain.registry import discover
from domain.strategies.base import STRATEGIES as STRATEGIES
from domain.strategies.base import Decided as Decided
from domain.strategies.base import Strategy as Strategy
from domain.strategies.base import decide as decide
from domain.strategies.base import memory_of as memory_of
from domain.strategies.base import strategy as strategy
from domain.strategies.columns import Columns as Columns
from domain.strategies.columns import OnColumns as OnColumns
from domain.strategies.columns import Rows as Rows

discover(__name__, __path__)
