"""Both edges of the bars, other histories, a strategy that looks ahead, and how orders were protected."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from domain.analytics import histories
from domain.backtest import study, trust
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.strategies.breakout import Breakout
from domain.trading.execution import Execution
from tests.domain.backtest.points import RULES, series

EURUSD = series()
TIGHT = Breakout(lookback=10, stop_atr=0.3, target_r=1.0, quiet=0.0)      # stop and target often in one bar


@pytest.fixture(scope="module")
def tight() -> study.Study:
    return study.run([EURUSD], RULES, TIGHT)


def test_the_band_is_the_result_of_each_extreme(tight):
    nets = [study.run([EURUSD], replace(RULES, execution=Execution(how)), TIGHT).metrics["net_return"] for how in ("pessimistic", "optimistic")]
    assert tight.outcome.ambiguous > 10 and trust.band(tight) == tuple(nets) and nets[0] < nets[1]


def test_without_an_ambiguous_bar_there_is_no_band(tight):
    assert trust.band(replace(tight, outcome=replace(tight.outcome, ambiguous=0))) is None


def test_other_histories_are_the_same_again_bounded_and_plain(tight):
    result = trust.histories(tight)
    assert result == trust.histories(tight) != trust.histories(tight, seed=1)
    assert len(result["fan"]["step"]) <= histories.POINTS and len(result["falls"]["paths"]) == histories.BINS
    assert sum(result["falls"]["paths"]) == result["figures"]["paths"] == trust.MOST and result["figures"]["sample"] == "trades"
    assert len(json.dumps(result)) < 20_000


def test_trades_without_a_stop_are_drawn_by_days():
    signals = pd.DataFrame(dict(ts=EURUSD.bars["ts"].iloc[100:1000:50], side="long", max_bars=10.0))
    result = trust.histories(study.run([EURUSD], replace(RULES, sizing=Sizing("fixed_lots", 1.0)), signals=signals))
    assert result["figures"]["sample"] == "days" and result["figures"]["unit"] == "share"


def test_nothing_traded_has_no_other_history():
    assert trust.histories(study.run([EURUSD], RULES, replace(TIGHT, quiet=10.0))) is None


@dataclass(frozen=True)
class Peeking:
    """Buys where the next close is higher."""

    def features(self):
        return ()

    def signals(self, frame):
        chosen = frame[frame["close"].shift(-1) > frame["close"]]
        return pd.DataFrame(dict(ts=chosen["ts"], side="long", max_bars=1.0))


def test_a_strategy_that_looks_ahead_is_detected_and_an_honest_one_is_not(tight):
    seen = trust.look_ahead(tight, Peeking())
    assert seen.first_leak.endswith("UTC") and "has look-ahead bias" in seen.leaks[0]
    clean = trust.look_ahead(tight, TIGHT)
    assert not clean.first_leak and not clean.leaks and clean.cuts > 4 and clean.bars == len(EURUSD.bars)


def test_every_opening_order_has_its_protection(tight):
    protected = trust.protection(tight)
    opened = tight.outcome.fills.drop_duplicates("trade_id")
    assert protected["order_id"].tolist() == opened["order_id"].tolist() and (protected["target_r_1"] == 1.0).all()
    assert np.array_equal(protected["stop_loss"], tight.tasks[0].signals["stop_loss"].to_numpy()[opened["order_id"] - 1])


def test_limits_are_rules_reviewed_and_part_of_the_question(tight):
    limited = study.run([EURUSD], replace(RULES, limits=Limits(max_leverage=0.5)), TIGHT)
    assert limited.rules.values()["limits"]["max_leverage"] == 0.5
    assert limited.outcome.counts["shrunk_leverage"] > 0 and set(limited.outcome.reviews["reason"]) >= {"shrunk_leverage"}
    specs = [study.spec_hash(study.spec_of([EURUSD], result.rules, TIGHT)) for result in (tight, limited)]
    assert specs[0] != specs[1]
    assert any(remark.key == "shrunk_leverage" for remark in limited.remarks()) and not any(result.key == "shrunk_leverage" for result in tight.remarks())
