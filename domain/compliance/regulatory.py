"""What regulators' rules say of each order of a path: its margin, and which lots it closes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from domain.compliance.fifo import matched
from domain.compliance.path import Path
from domain.compliance.rule import Terms
from domain.compliance.rule_set import RuleSet
from domain.compliance.rules.margin import Margin
from domain.market.instrument import Instrument

FIFO = ("order", "ts", "instrument", "closes", "lots")


def margin_table(
    path: Path, rule_set: RuleSet, instruments: Mapping[str, Instrument] | None = None
) -> pd.DataFrame | None:
    """The margin of every order, and whether it would have been refused; None without such a rule or without trades."""
    rule = next((rule for rule in rule_set.rules if isinstance(rule, Margin)), None)
    if rule is None or path.trades is None:
        return None
    return rule.orders(
        path.rows, Terms(path.initial, rule_set.day, path.currency, None, instruments or {}), path.ts, path.equity
    )


def fifo_table(path: Path, rule_set: RuleSet) -> pd.DataFrame | None:
    """What each exit, and each order against open positions, closes by first in, first out; None without such a rule or without trades."""
    if rule_set.rule("fifo") is None or path.trades is None:
        return None
    table = pd.DataFrame(matched(path.rows), columns=list(FIFO))
    return table.assign(ts=pd.to_datetime(table["ts"], utc=True))
