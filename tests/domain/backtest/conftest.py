"""Tests that run on the kernel and on the reference implementation alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from domain.backtest.simulator import simulate as kernel
from domain.trading.task import Outcome
from tests.reference.execution import simulate as reference
from tests.reference.worked import run_by


@pytest.fixture(params=[kernel, reference], ids=["kernel", "reference"])
def run(request: pytest.FixtureRequest) -> Callable[..., Outcome]:
    return partial(run_by, request.param)
