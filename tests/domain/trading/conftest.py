"""Some tests hold of the kernel and of its independent reference implementation alike."""

from tests.domain.backtest.conftest import run as run
