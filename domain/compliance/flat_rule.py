"""The base of rules that ask for closed positions at certain times: over night, over the weekend."""

from __future__ import annotations

from dataclasses import dataclass

from domain.compliance.cuts import Flat, held_across
from domain.compliance.day import DayClock
from domain.compliance.exposure import INSTRUMENTS, known_currencies
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms
from domain.compliance.stretch import Stretch
from domain.params import param

POLICY = "allowed; flat by a time; or flat if the market shuts for more than some hours"
NAN = float("nan")


@dataclass(frozen=True)
class FlatRule(Rule):
    """A breach for each position that is open at a time by which it must be closed, or is opened after it."""

    unit = ""
    main = "policy"
    required = ("policy",)

    policy: Flat = param(Flat("allowed"), title="Policy", help=POLICY)
    tz: str = param("", title="Clock", help="clock of the time; empty: that of the day's reset")
    effect: str = param(
        FAIL, choices=(FAIL, BLOCK), help="what a position held on does: the account fails, or it is only reported"
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return () if self.policy.allowed else trades_needed(known)

    def clause(self) -> str:
        return f"{self.kind}: {self.policy}{' ' + self.tz if self.tz and not self.policy.allowed else ''}"

    def start(self, terms: Terms) -> Terms:
        self._clock(terms)
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        if self.policy.allowed or not len(stretch.trades):
            return Reading()
        markets = {name: known_currencies(name, memory.instruments) for name in set(stretch.trades.instrument.tolist())}
        lacks = (INSTRUMENTS,) if self.policy.hours and None in markets.values() else ()
        held = held_across(self.policy, self._clock(memory), stretch, markets)
        return Reading(breaches=[self._breach(stretch, *each) for each in held], lacks=lacks)

    def _breach(self, stretch: Stretch, row: int, at: int, late: bool) -> Breach:
        why = "Opened after it." if late else "Still open then."
        return Breach(at, self.clause(), NAN, NAN, self.effect, (stretch.trades.id[row],), why)

    def _clock(self, terms: Terms) -> DayClock:
        return DayClock(terms.clock.reset, self.tz or terms.clock.tz)
