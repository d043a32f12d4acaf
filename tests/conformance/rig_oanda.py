"""OANDA in the broker suite: its practice server on this machine."""

from __future__ import annotations

from decimal import Decimal

from domain.trading.broker import Broker
from domain.venues.http import Clock, Connection
from domain.venues.oanda_broker import OandaBroker
from domain.venues.oanda_wire import ACCOUNT, TOKEN
from tests.conformance.rig import Rig
from tests.doubles import oanda

CONTRACT = 100_000
SYMBOLS = {"EURUSD": "EUR_USD", "USDJPY": "USD_JPY"}


class OandaRig(Rig):
    secret, variable = oanda.TOKEN, TOKEN

    def __init__(self) -> None:
        super().__init__()
        self.double = oanda.Oanda(lambda: self.time.now)
        self.time.watchers.append(lambda seconds: self.double.account.tick())

    def broker(self, timeout: float = 10.0) -> Broker:
        time = self.time
        clock = Clock(time.utc_ns, time.monotonic, time.advance)
        keys = {TOKEN: self.secret, ACCOUNT: self.double.account.number}
        return OandaBroker(Connection("OANDA", self.double.url, clock, lambda: 0.5, keys=keys, double=True, timeout=timeout), self.intents)

    def move(self, instrument: str, bid: str, ask: str) -> None:
        self.double.account.move(SYMBOLS[instrument], bid, ask)

    def accepted(self) -> int:
        return self.double.accepted()

    def lose_answer(self, then_away: bool = False) -> None:
        self.double.answers.append("lose_answer")
        self.double.after_loss = (lambda: self.away(True)) if then_away else None

    def lose_request(self) -> None:
        self.double.answers.append("lose_request")

    def away(self, gone: bool) -> None:
        self.double.away = gone

    def fill_first(self) -> None:
        self.double.answers.append("fill_first")

    def repeat_fills(self) -> None:
        self.double.repeat = True

    def fill_only(self, lots: str) -> None:
        self.double.account.liquidity = int(Decimal(lots) * CONTRACT)

    def freeze(self) -> None:
        self.double.account.frozen = True

    def unprotected(self) -> list[str]:
        return self.double.account.unprotected

    def refuse_key(self) -> None:
        self.double.token = "another"

    def close(self) -> None:
        self.double.close()


RIG = OandaRig
