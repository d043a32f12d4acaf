"""Margin that regulators ask of retail clients, as shares of the notional, by instrument and date."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from domain.market.instrument import Instrument

ESMA_MAJORS = frozenset({"USD", "EUR", "JPY", "GBP", "CAD", "CHF"})  # ESMA decision (EU) 2018/796, Annex I
NFA_MAJORS = frozenset(
    {"USD", "AUD", "GBP", "CAD", "DKK", "EUR", "JPY", "NZD", "NOK", "SEK", "CHF"}
)  # NFA Financial Requirements, section 12
POUND_SINCE = np.datetime64("2021-08-10", "ns").astype(np.int64)  # NFA: 3 % for pairs of the pound
ESMA_CLASSES = {
    "gold": 20.0,
    "index_major": 20.0,
    "share": 5.0,
    "crypto": 2.0,
}  # leverage; all else that is no pair of currencies: 10


def esma_rates(about: Instrument, ts: np.ndarray) -> np.ndarray:
    """30:1 for pairs of USD EUR JPY GBP CAD CHF, 20:1 other pairs, gold and major indices, 10:1 other commodities, 5:1 shares, 2:1 crypto.

    >>> from domain.market.instrument import instrument
    >>> [round(float(1 / esma_rates(instrument(name), np.zeros(1, np.int64))[0])) for name in ("EURGBP", "AUDUSD", "XAUUSD", "XAGUSD", "US500")]
    [30, 20, 20, 10, 20]
    """
    if about.kind == "fx":
        leverage = 30.0 if {about.base, about.quote} <= ESMA_MAJORS else 20.0
    else:
        leverage = ESMA_CLASSES.get(about.margin_class, ESMA_CLASSES.get(about.kind, 10.0))
    return np.full(len(ts), 1.0 / leverage)


def nfa_rates(about: Instrument, ts: np.ndarray) -> np.ndarray:
    """2 % for pairs of the listed majors, 3 % for those with the pound since 2021-08-10, else 5 %; 0 for what is no pair of currencies.

    >>> from domain.market.instrument import instrument
    >>> before, after = np.array(["2021-08-09", "2021-08-10"], "datetime64[ns]").view(np.int64)
    >>> nfa_rates(instrument("GBPUSD"), np.array([before, after])).tolist(), nfa_rates(instrument("EURUSD"), np.array([after])).tolist()
    ([0.02, 0.03], [0.02])
    """
    if about.kind != "fx":
        return np.zeros(len(ts))
    if not {about.base, about.quote} <= NFA_MAJORS:
        return np.full(len(ts), 0.05)
    return np.where((ts >= POUND_SINCE) & ("GBP" in (about.base, about.quote)), 0.03, 0.02)


RATES: Mapping[str, Callable[[Instrument, np.ndarray], np.ndarray]] = {"ESMA": esma_rates, "NFA": nfa_rates}
