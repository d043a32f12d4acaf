"""Whether positions may be held over night."""

from __future__ import annotations

from dataclasses import dataclass

from domain.compliance.cuts import Flat
from domain.compliance.flat_rule import POLICY, FlatRule
from domain.compliance.rule import rule
from domain.params import param


@rule("overnight")
@dataclass(frozen=True)
class Overnight(FlatRule):
    """Overnight: positions may be held over night, or must be closed by a time of each day."""

    policy: Flat = param(Flat("flat by 15:10"), title="Policy", help=POLICY)
