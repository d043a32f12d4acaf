"""Luck is annualised with the days a year of the run's own ratios."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from domain.analytics import Significance, days_a_year, significance_of
from worker.desk.luck import days_a_year_of, of_best, of_search

YEAR = days_a_year("fx")
RETURNS = np.random.default_rng(3).normal(0.001, 0.01, 250)
PNL = np.diff(np.cumprod(1.0 + RETURNS), prepend=1.0)
SHARPES = list(np.random.default_rng(4).normal(0.02, 0.05, 40))
BEST = dict(number=3, sharpe=1.4, sharpe_daily=0.09)


def test_of_a_sweep_it_is_the_significance_of_the_best_ones_days():
    luck, significance = of_best(BEST, 40, SHARPES, PNL, YEAR), significance_of(RETURNS, 40, float(np.var(SHARPES, ddof=1)), YEAR)
    assert luck.trials == 40 and (luck.sharpe, luck.dsr) == (pytest.approx(significance.luck_year), pytest.approx(significance.dsr))


def test_without_a_best_or_with_few_known_ratios_there_is_little_to_tell():
    assert of_best(None, 7, SHARPES, PNL, YEAR) == of_best(BEST | dict(sharpe_daily=None), 7, SHARPES, PNL, YEAR)
    assert of_best(None, 7, SHARPES, PNL, YEAR).dsr is None and of_search(7, SHARPES[:3], YEAR).sharpe is None
    assert of_search(40, SHARPES, YEAR).sharpe == pytest.approx(of_search(40, SHARPES, 1.0).sharpe * np.sqrt(YEAR))


def test_runs_of_old_keep_the_252_they_were_made_with():
    assert days_a_year_of({}) == 252 and days_a_year_of(dict(days_a_year=YEAR)) == YEAR
    stored = asdict(significance_of(RETURNS))
    del stored["periods_a_year"]
    assert Significance(**stored).periods_a_year == 252
