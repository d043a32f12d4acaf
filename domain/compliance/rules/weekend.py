"""Whether positions may be held over the weekend."""

from __future__ import annotations

from dataclasses import dataclass

from domain.compliance.cuts import Flat
from domain.compliance.flat_rule import POLICY, FlatRule
from domain.compliance.rule import rule
from domain.params import param


@rule("weekend")
@dataclass(frozen=True)
class Weekend(FlatRule):
    """Weekend: positions may be held over it, or must be closed by a time."""

    policy: Flat = param(Flat("flat by Fri 20:00"), title="Policy", help=POLICY)
