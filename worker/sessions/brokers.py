"""The brokers that sessions send orders to, by name: practice and demo accounts only."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.errors import unknown
from domain.trading.broker import Broker, Intents
from domain.venues.vendor import VENDORS
from worker.vendors import connection_to

Connect = Callable[[Mapping[str, str], Intents], Broker]


def _oanda(environment: Mapping[str, str], intents: Intents) -> Broker:
    from domain.venues.oanda_broker import OandaBroker

    return OandaBroker(connection_to(VENDORS["oanda"], environment), intents)


def _metatrader(environment: Mapping[str, str], intents: Intents) -> Broker:
    from domain.venues.metatrader_broker import MetaTraderBroker

    return MetaTraderBroker(connection_to(VENDORS["metatrader"], environment), intents)


BROKERS: dict[str, Connect] = {"oanda": _oanda, "mt5": _metatrader}


def broker_of(name: str, environment: Mapping[str, str], intents: Intents) -> Broker:
    """BadRequest where a variable that it needs is missing."""
    if name not in BROKERS:
        raise unknown("broker", name, BROKERS)
    return BROKERS[name](environment, intents)
