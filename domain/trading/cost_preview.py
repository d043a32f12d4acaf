"""What trading one lot will cost under the rules of a run, before it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.market.instrument import Instrument
from domain.trading.costs import Costs


@dataclass(frozen=True)
class CostPreview:
    """Costs of one lot of an instrument. Money is in the account's currency at ``price`` and ``rate``; None where no rate is known.

    ``spread``: pips, paid once a round trip; ``spread_source``: where it is from; ``slippage``: pips a fill at market or stop, at most (``random``), or a
    multiple of ATR (``atr``, whose money is not known before); ``commission``: a fill; swaps: a night, negative is paid.
    """

    instrument: str
    side: str
    price: float
    rate: float | None
    spread: float
    spread_source: str
    spread_money: float | None
    slippage: float
    slippage_kind: str
    slippage_money: float | None
    commission: float | None
    swap_long: float
    swap_short: float
    swap_long_money: float | None
    swap_short_money: float | None

    @property
    def round_trip(self) -> float | None:
        """Spread, slippage of both fills and commission of both, in the account's currency; slippage at its most."""
        parts = (self.spread_money, self.slippage_money, self.commission)
        if any(part is None for part in parts):
            return None
        spread, slippage, commission = (part or 0.0 for part in parts)
        return spread + 2 * slippage + 2 * commission


def cost_preview(instrument: Instrument, costs: Costs, side: str, price: float, rate: float | None, data_spread: float | None) -> CostPreview:
    """``price``: the last close; ``rate``: account currency for one of the quote's; ``data_spread``: the median of the bars that carry one, price units.

    >>> from domain.market.instrument import instrument
    >>> from domain.params import build
    >>> costs = build(Costs, dict(unit="pips", spread=0.8, slippage=0.2, commission_per_lot=3.0))
    >>> shown = cost_preview(instrument("EURUSD"), costs, "bid", 1.1, 1.0, None)
    >>> round(shown.spread_money, 9), round(shown.slippage_money, 9), shown.commission, round(shown.round_trip, 9)
    (8.0, 2.0, 3.0, 18.0)
    """
    own = costs.of(instrument)
    spread = own.spread if data_spread is None else data_spread
    source = "data" if data_spread is not None else "entered" if costs.value_for("spread", instrument.name) is not None else "instrument"
    lot = None if rate is None else instrument.contract * rate
    by_atr = costs.slippage_kind == "atr"
    return CostPreview(
        instrument.name, side, price, rate, spread / instrument.pip, source, _money(spread, lot),
        own.slippage if by_atr else own.slippage / instrument.pip, costs.slippage_kind, (0.0 if not own.slippage else None) if by_atr else _money(own.slippage, lot),
        _commission(costs.commission_kind, own.commission_per_lot, price, lot), own.swap_long, own.swap_short, _money(own.swap_long, rate), _money(own.swap_short, rate),
    )  # fmt: skip


def latest_rate(currency: str, account: str, mids: Mapping[tuple[str, str], float]) -> float | None:
    """The value of one unit of ``currency`` by the last prices of pairs (base, quote): direct, inverse, or through USD; None where no pair leads there.

    >>> mids = {("USD", "JPY"): 125.0, ("GBP", "USD"): 1.25}
    >>> [latest_rate(currency, "USD", mids) for currency in ("USD", "JPY", "GBP", "CHF")], latest_rate("JPY", "GBP", mids)
    ([1.0, 0.008, 1.25, None], 0.0064)
    """
    if currency == account:
        return 1.0
    direct, inverse = mids.get((currency, account)), mids.get((account, currency))
    if direct or inverse:
        return direct or 1.0 / (inverse or 1.0)
    if "USD" in (currency, account):
        return None
    legs = latest_rate(currency, "USD", mids), latest_rate("USD", account, mids)
    return None if None in legs else (legs[0] or 0.0) * (legs[1] or 0.0)


def _money(amount: float, rate: float | None) -> float | None:
    return None if rate is None else amount * rate


def _commission(kind: str, value: float, price: float, lot: float | None) -> float | None:
    """Of one lot and fill, as the kernel books it."""
    if kind == "per_lot" or not value:
        return value
    return None if lot is None else value * lot * abs(price) / (1e6 if kind == "per_million" else 1e4)
