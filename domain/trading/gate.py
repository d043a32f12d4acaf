"""The rule set whose floors an account keeps clear of: the headroom gate, reviewed before each order."""

from __future__ import annotations

from dataclasses import dataclass

from domain.params import param


@dataclass(frozen=True)
class Gate:
    """An order is refused whose worst case does not fit the headroom above every floor of the rule set, less the own buffer."""

    rule_set: str = param("", unit="", title="Rule set", help="the text of a rule set, TOML; empty: no gate")
    name: str = param("", unit="", title="Name of the rule set", help="what the rule set is called in sentences")
    phase: str = param("", unit="", title="Phase", help="phase of the rule set; empty: its first")

    def __bool__(self) -> bool:
        return bool(self.rule_set)
