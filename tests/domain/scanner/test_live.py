"""Bar by bar the scan is the one that is computed from the whole past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.backtest.study import context_of
from domain.errors import BadRequest
from domain.features import Context, compute, parse
from domain.market.bars import ts_of
from domain.outside.timed_values import TimedValues
from domain.risk.limits import Limits
from domain.risk.positions import OpenPosition
from domain.risk.sizing import Sizing
from domain.scanner.criteria import Criteria
from domain.scanner.live import LiveScan
from domain.scanner.scan import ScanRequest, scan
from domain.strategies import STRATEGIES
from domain.strategies.base import make
from domain.strategies.columns import OnColumns
from domain.trading.rules import Rules
from tests.domain.scanner.markets import Every, bars, series

BACK = 25       # bars that are appended one by one
RULES = Rules(sizing=Sizing("fraction_at_risk", 0.004))
CRITERIA = Criteria(fewest=3, correlation_days=10)


def request_until(end, rules=RULES, positions=()):
    """Three instruments with volume, all strategies that decide on columns with their defaults."""
    markets = [replace(series(name), bars=_with_volume(seed).iloc[:end].reset_index(drop=True)) for name, seed in (("EURUSD", 1), ("GBPUSD", 8), ("AUDUSD", 5))]
    strategies = {name: created for name in STRATEGIES if isinstance(created := _default(name), OnColumns)}
    return ScanRequest(markets, strategies | dict(quick=make("breakout", dict(lookback=2, quiet=0, max_bars=5))), rules, CRITERIA, positions=positions)


def _default(name):
    try:
        return make(name, {})
    except BadRequest:
        return None


def _with_volume(seed):
    table = bars(seed, drift=0.6)
    return table.assign(volume=np.random.default_rng(seed).integers(50, 500, len(table)).astype(float))


@pytest.fixture(scope="module")
def whole():
    return request_until(500)


@pytest.fixture(scope="module")
def earlier():
    return scan(request_until(500 - BACK))


def rows_of(request, k):
    return [bar for bar in request.series[k].bars.to_dict("records")[-BACK:]]


def test_each_bar_that_closes_gives_the_verdict_of_the_whole_past(whole, earlier):
    """Signals, sizes, spreads and stops of the last bar are those of a scan of all bars; trades closed meanwhile are not known to the one in memory, so it keeps its own."""
    live = LiveScan(earlier)
    assert len(live.strategies) >= 3
    appended = [rows_of(whole, k) for k in range(3)]
    at_close = []
    for bar in range(BACK):
        live.append_all({k: appended[k][bar] for k in range(3)})
        verdicts = live.verdicts()
        one_by_one = [live._judge(*_own(live, k)) for k in range(3)]
        assert np.concatenate([each.es95 for each in one_by_one]).tolist() == pytest.approx(verdicts.es95.tolist(), nan_ok=True), "all together decide as each alone"
        at_close.append(verdicts)
    signals = 0
    for bar in (0, BACK // 2, BACK - 1):
        computed = scan(request_until(500 - BACK + bar + 1))
        place = {(each.instrument, each.strategy): each for each in computed.combinations}
        for j, each in enumerate(live.combinations):
            other = place[each.instrument, each.strategy]
            assert np.isnan(at_close[bar].es95[j]) == (other.signal is None), (bar, each.instrument, each.strategy)
            if other.signal is not None:
                signals += 1
                cost = (other.spread - each.spread_at_entries) / other.signal.stop_distance
                assert at_close[bar].quality.cost[j] == pytest.approx(cost, abs=1e-12, nan_ok=True)
                assert at_close[bar].es95[j] == pytest.approx(-at_close[bar].statistics.tail[j] * other.signal.at_risk / 10_000 * 1_000, nan_ok=True)
    assert signals > 0


def _own(live, k):
    count = len(live.strategies)
    own = np.arange(k * count, (k + 1) * count)
    return own, {int(j): signal for j in own if (signal := live._signal(k, int(j) - k * count)) is not None}


def test_a_closed_bar_is_judged_with_open_positions_and_limits(whole, earlier):
    held = [OpenPosition("GBPUSD", 1, 0.1, 1.2, 1.2)]
    limited = replace(RULES, limits=Limits(max_positions=1, blackout="00:00-23:59 UTC", spread_spike=3.0, volatility_spike=9.0))
    live = LiveScan(scan(request_until(500 - BACK, limited, held)))
    bars_of = rows_of(whole, 0)
    reasons = {key for bar in bars_of for key in live.close(0, bar).reason.tolist()}
    assert -1 not in reasons, "nothing is proposed in a blackout"
    free = LiveScan(earlier)
    assert len(free.close(0, bars_of[0]).reason) == len(free.strategies)


def test_columns_of_longer_bars_are_those_of_the_whole_table_around_the_clock_and_through_gaps():
    """With what was known of another instrument and an external series when each longer bar ended."""
    rng = np.random.default_rng(6)
    tables = [bars(seed)[rng.random(500) > 0.3].reset_index(drop=True) for seed in (1, 8)]
    times = np.sort(ts_of(tables[0])[::3] + 7_000_000_000)
    context = Context(macro={"VIX": TimedValues(times, rng.random(len(times)))})
    full = [replace(series(name), bars=table, context=context) for name, table in zip(("EURUSD", "GBPUSD"), tables, strict=True)]
    texts = ["relative_strength(1)@H4", "vix_zscore(3)@H4", "rsi(2)@D1", "vix_zscore(3)"]
    rule = make("written", dict(long=" and ".join(f"{text} > 0" for text in texts)))
    begin = max(ts_of(table)[-60] for table in tables)
    live = LiveScan(scan(ScanRequest([replace(each, bars=each.bars[ts_of(each.bars) < begin]) for each in full], dict(rule=rule), RULES, CRITERIA)))
    wanted = [compute(each.bars, live.uses, context_of(each, full)).set_index("ts") for each in full]
    for ts in pd.date_range(pd.Timestamp(begin, tz="UTC"), periods=60, freq="h"):
        coming = {k: table.reset_index().loc[wanted[k].index == ts].to_dict("records")[0] for k, table in enumerate(tables) if ts in wanted[k].index}
        live.append_all(coming)
        for k in coming:
            latest = live.rings.latest(k, 1)
            np.testing.assert_array_equal([latest[parse(text).column][0] for text in texts], wanted[k].loc[ts, [parse(text).column for text in texts]].to_numpy(), err_msg=str(ts))


def test_what_needs_the_whole_past_is_refused(earlier):
    with pytest.raises(BadRequest, match="volatility needs the whole past"):
        LiveScan(replace(earlier, request=replace(earlier.request, rules=Rules(sizing=Sizing("volatility", 0.1)))))
    with pytest.raises(BadRequest, match="every does not decide on columns"):
        LiveScan(replace(earlier, request=replace(earlier.request, strategies=dict(every=Every()))))
