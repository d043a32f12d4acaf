"""Whether positions may be held over the weekend."""

from __future__ import annotations

from dataclasses import dataclass

from domain.compliance.cuts import Flat, held_across
from domain.compliance.day import DayClock
from domain.compliance.exposure import INSTRUMENTS, known_currencies
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.params import param


@rule("weekend")
@dataclass(frozen=True)
class Weekend(Rule):
    """Weekend: positions may be held over it, or must be closed by a time."""

    unit = ""
    main = "policy"
    required = ("policy",)

    policy: Flat = param(
        Flat("flat by Fri 20:00"),
        title="Policy",
        help="allowed; flat by a time; or flat if the market shuts for more than some hours",
    )
    tz: str = param("", title="Clock", help="clock of the time; empty: that of the day's reset")
    effect: str = param(
        FAIL, choices=(FAIL, BLOCK), help="what a position held on does: the account fails, or it is only reported"
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return () if self.policy.allowed else trades_needed(known)

    def clause(self) -> str:
        return f"weekend: {self.policy}{' ' + self.tz if self.tz and not self.policy.allowed else ''}"

    def start(self, terms: Terms) -> Terms:
        DayClock(terms.clock.reset, self.tz or terms.clock.tz)
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        if self.policy.allowed or not len(stretch.trades):
            return Reading()
        clock = DayClock(memory.clock.reset, self.tz or memory.clock.tz)
        markets = {name: known_currencies(name, memory.instruments) for name in set(stretch.trades.instrument.tolist())}
        lacks = (INSTRUMENTS,) if self.policy.hours and None in markets.values() else ()
        breaches = [
            Breach(
                at,
                self.clause(),
                float("nan"),
                float("nan"),
                self.effect,
                (stretch.trades.id[row],),
                "Opened after it." if late else "Still open then.",
            )
            for row, at, late in held_across(self.policy, clock, stretch, markets)
        ]
        return Reading(breaches=breaches, lacks=lacks)
