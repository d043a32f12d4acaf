"""Settings of a run by the titles and units of their declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.formatting import label
from domain.params import Param, params_of
from domain.report.figures import exact, words
from domain.strategies import STRATEGIES
from domain.trading.rules import SECTIONS


def declared(section: str, strategy: str = "") -> Mapping[str, Param]:
    """Name -> parameter of a section of the rules, or of a strategy; none of one that is not registered.

    >>> declared("strategy", "breakout")["stop_atr"].unit, dict(declared("strategy", "signals"))
    ('ATR', {})
    """
    cls = dict(STRATEGIES).get(strategy) if section == "strategy" else SECTIONS.get(section)
    return {param.name: param for param in params_of(cls)} if cls else {}


def titled(params: Mapping[str, Param], key: str) -> str:
    """The title of a setting with its unit; of one of a single instrument, ``USDJPY slippage``, after its name.

    >>> titled(declared("strategy", "breakout"), "max_bars"), titled({}, "max_bars")
    ('Time stop (bars)', 'max bars')
    """
    instrument, _, name = key.rpartition(" ")
    param = params.get(name)
    return f"{instrument} {label(param.name, param.unit, param.title)}".strip() if param else words(key)


def stated(params: Mapping[str, Param], name: str, value: Any) -> str:
    """A setting in a sentence: its title, value and unit.

    >>> stated(declared("strategy", "breakout"), "max_bars", 96), stated({}, "max_bars", 96)
    ('time stop 96 bars', 'max bars 96')
    """
    param = params.get(name)
    if param is None:
        return f"{words(name)} {exact(value)}"
    title = label(param.name, param.unit, param.title).split(",")[0].split(" (")[0]
    return f"{title if title[:2].isupper() else title[0].lower() + title[1:]} {exact(value)} {param.unit}".rstrip()
