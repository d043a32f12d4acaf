"""Everything about a run that is neither data nor strategy: one object, passed from the desk to the kernel's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from domain.params import build, values_of
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.gate import Gate


@dataclass(frozen=True)
class Rules:
    """Account, costs, execution, position sizing, limits, and the rule set whose floors are kept clear of."""

    account: Account = Account()
    costs: Costs = Costs()
    execution: Execution = Execution()
    sizing: Sizing = Sizing()
    limits: Limits = Limits()
    gate: Gate = Gate()

    def values(self) -> dict[str, dict[str, Any]]:
        """Every parameter by section, defaults included; of the gate where there is one."""
        return {field.name: values_of(getattr(self, field.name)) for field in fields(self) if field.name != "gate" or self.gate}


SECTIONS: Mapping[str, type] = {field.name: type(field.default) for field in fields(Rules)}


def rules_from(values: Mapping[str, Any]) -> Rules:
    """Rules from plain values by section, as a spec or settings hold them; what is left out is as declared.

    >>> rules_from({"costs": {"slippage": 0.2, "unit": "pips"}, "strategy": "breakout"}).costs.slippage
    0.2
    """
    return Rules(**{name: build(cls, values.get(name, {})) for name, cls in SECTIONS.items()})
