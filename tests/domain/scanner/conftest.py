"""One scan for all tests of scans."""

from __future__ import annotations

import pytest

from domain.risk.sizing import Sizing
from domain.scanner.criteria import Criteria
from domain.scanner.scan import ScanRequest, scan
from domain.trading.rules import Rules
from tests.domain.scanner.markets import Every, series

RULES = Rules(sizing=Sizing("fraction_at_risk", 0.004))
STRATEGIES = dict(steady=Every(), quiet=Every(last=498), rare=Every(step=20), bare=Every(stop=0.0), cold=Every(window=900), contrary=Every(side=-1))


@pytest.fixture(scope="package")
def request_():
    markets = [series("EURUSD", 1), series("GBPUSD", 8), series("EURUSD", 3, "H4"), series("AUDUSD", 8)]
    return ScanRequest(markets, STRATEGIES, RULES, Criteria(correlation_days=10))


@pytest.fixture(scope="package")
def scanned(request_):
    return scan(request_)
