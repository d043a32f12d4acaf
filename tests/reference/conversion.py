"""Money of one currency in another, along closes that were known (sections 5 and 8)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from tests.reference.bars import Bar
from tests.reference.clocks import utc

FOUR_DAYS = 4 * 86_400_000_000_000
HUB = "USD"


@dataclass(frozen=True, slots=True)
class QuotedRate:
    """What one unit of a currency is worth, and whether a close behind it is older than 4 days."""

    value: float
    stale: bool = False


class Conversion:
    """Direct, inverse, or through USD; each leg the mid close of the latest bar of its pair whose end ≤ the instant."""

    def __init__(self, account: str, loaded: Iterable[tuple[Instrument, int, list[Bar]]]) -> None:
        """``loaded`` is (instrument, minutes of the timeframe, bars) of every series: of tasks, of finer bars, of rates."""
        self.account = account
        finest: dict[tuple[str, str], dict[int, tuple[int, float]]] = {}
        for instrument, minutes, bars in loaded:
            closes = finest.setdefault((instrument.base, instrument.quote), {})
            for bar in bars:
                if bar.end not in closes or minutes < closes[bar.end][0]:  # among equal ends the finest series
                    closes[bar.end] = (minutes, bar.mid_close())
        self.ends = {pair: sorted(closes) for pair, closes in finest.items()}
        self.closes = {pair: [finest[pair][end][1] for end in ends] for pair, ends in self.ends.items()}

    def check(self, currency: str) -> None:
        """None at all: an error that names the pair, before the run starts."""
        ways = [[(currency, self.account)], [(currency, HUB), (HUB, self.account)]]
        if currency != self.account and not any(all(self._loaded(*leg) for leg in way) for way in ways):
            raise BadRequest(
                f"no loaded series converts {currency} into {self.account}; "
                f"load bars of {currency}{self.account} or {self.account}{currency}"
            )

    def _loaded(self, source: str, target: str) -> bool:
        return bool(self.ends.get((source, target)) or self.ends.get((target, source)))

    def rate(self, currency: str, instant: int) -> QuotedRate:
        """Account currency per unit of ``currency`` at ``instant``; never 1.0 for want of a rate."""
        if currency == self.account:
            return QuotedRate(1.0)
        if straight := self._leg(currency, self.account, instant):
            return straight
        if HUB not in (currency, self.account):
            first, second = self._leg(currency, HUB, instant), self._leg(HUB, self.account, instant)
            if first and second:
                return QuotedRate(first.value * second.value, first.stale or second.stale)
        raise BadRequest(
            f"no rate of {currency}{self.account} is known at {utc(instant):%Y-%m-%d %H:%M} UTC; load bars of it that begin earlier"
        )

    def _leg(self, source: str, target: str, instant: int) -> QuotedRate | None:
        if direct := self._latest((source, target), instant):
            return direct
        if inverse := self._latest((target, source), instant):
            return QuotedRate(1.0 / inverse.value, inverse.stale)
        return None

    def _latest(self, pair: tuple[str, str], instant: int) -> QuotedRate | None:
        ends = self.ends.get(pair, [])
        last = bisect_right(ends, instant) - 1
        if last < 0:
            return None
        return QuotedRate(self.closes[pair][last], instant - ends[last] > FOUR_DAYS)
