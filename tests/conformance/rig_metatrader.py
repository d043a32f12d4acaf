"""MetaTrader 5 in the broker suite: the double of its package, with a terminal in this process."""

from __future__ import annotations

import time
from functools import cache

import numpy as np

from domain.trading.broker import Broker
from domain.venues.http import Clock, Connection
from domain.venues.metatrader_broker import MetaTraderBroker
from domain.venues.metatrader_link import LOGIN, PASSWORD, SERVER
from tests.conformance.rig import NOON, Rig
from tests.doubles import metatrader

GONE = (-10_001, "IPC send failed")
CALLS = ("initialize", "account_info", "terminal_info", "symbol_info", "symbol_info_tick", "orders_get", "order_send", "positions_get", "history_orders_get", "history_deals_get", "copy_rates_from_pos")


class MetaTraderRig(Rig):
    secret, variable = "correct horse", PASSWORD

    def __init__(self) -> None:
        super().__init__()
        self.terminal = metatrader.install().terminal
        self.terminal.credentials["password"] = self.secret
        self.terminal.now = lambda: self.time.now.timestamp()
        self.terminal.balance, self.terminal.leverage = 100_000.0, 30
        self.terminal.load("EURUSD", "H1", **weeks())
        self.terminal.quote("EURUSD", 1.10000, 1.10010)
        self.terminal.quote("USDJPY", 150.000, 150.010)

    def broker(self) -> Broker:
        keys = {LOGIN: "12345678", PASSWORD: self.secret, SERVER: "Double-Demo"}
        clock = Clock(self.time.utc_ns, self.time.monotonic, self._sleep)
        return MetaTraderBroker(Connection("MetaTrader 5", "", clock, lambda: 0.5, keys=keys, tries=2), self.intents)

    def move(self, instrument: str, bid: str, ask: str) -> None:
        self.terminal.frozen = False
        self.terminal.quote(instrument, float(bid), float(ask))

    def accepted(self) -> int:
        return self.terminal.accepted

    def lose_answer(self, then_away: bool = False) -> None:
        self.terminal.outcomes.append("away" if then_away else "lost")

    def lose_request(self) -> None:
        self.terminal.outcomes.append("dropped")

    def away(self, gone: bool) -> None:
        self.terminal.gone = GONE if gone else None

    def fill_first(self) -> None:
        self.terminal.outcomes.append("lost")
        self.terminal.hidden_orders = self.terminal.now() + 60

    def repeat_fills(self) -> None:
        self.terminal.repeated_deals = True

    def fill_only(self, lots: str) -> None:
        self.terminal.liquidity = float(lots)

    def freeze(self) -> None:
        self.terminal.frozen = True

    def unprotected(self) -> list[str]:
        return self.terminal.bare

    def refuse_key(self) -> None:
        self.terminal.gone = (-6, "Terminal: Authorization failed")

    def close(self) -> None:
        metatrader.remove()

    def _sleep(self, seconds: float) -> None:
        self.time.advance(seconds)
        time.sleep(0)           # another thread may go on


RIG = MetaTraderRig


@cache
def weeks(count: int = 12) -> dict[str, np.ndarray]:
    """Hourly bars of the weeks before the tests begin: New York Sunday 17:00 (21:00 UTC in summer) to Friday 17:00."""
    sunday = int(NOON.timestamp()) // 604_800 * 604_800 + 3 * 86_400 + 75_600       # weeks since 1970 begin on Thursdays
    utc = (sunday + (np.arange(count)[:, None] - count + 1) * 604_800 + np.arange(120) * 3_600).ravel()
    utc = utc[utc < NOON.timestamp()]
    return dict(utc=utc, **dict.fromkeys(("open", "high", "low", "close"), np.full(len(utc), 1.1)))
