"""The same decisions through vectorbt, by an interpreter that has it (TIDEMARK_PEERS, or this one); skipped without.

| theirs | ours | so |
|---|---|---|
| the bar of an entry is not looked at for stop and target | it is, whole | a trade that leaves in its entry bar leaves later there, and what follows may differ |
| a position open at the end stays open, valued at the last close | leaves at the last close, reason ``end`` | one bar's label |
| stop and target are shares of the fill's price | prices the signal brings | equal where the open is the close before it, as in these bars |
| a buy is cut to the cash there is at the fill | an order without margin is dropped | sizes here are what cash can pay |
| one order a bar and asset | as many as there are | with partial exits see benchmarks/README.md |
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import others
from tests.parity.goog import CASH, FOLDER, MISSING, bars, crosses, there, traded

pytestmark = pytest.mark.skipif(not others.installed("vectorbt"), reason="no vectorbt here; TIDEMARK_PEERS may name an interpreter that has it")
SCRIPT = Path(others.__file__).with_name("peers") / "with_vectorbt.py"
COUNT = 60_000      # a trade leaves in the bar of its entry for the first time at bar 50,984


@pytest.fixture(scope="module")
def theirs(tmp_path_factory) -> dict:
    file = tmp_path_factory.mktemp("given") / "given.npz"
    np.savez(file, **others.given(COUNT))
    return {row["engine"]: row for row in others.run(SCRIPT, str(file), "1")["rows"] if row["kind"] == "stop and target"}


@pytest.fixture(scope="module")
def ours() -> others.Trades:
    return others.ours_of("stop and target", COUNT)[1]


@pytest.mark.parametrize("engine", ["numba", "rust"])
def test_trades_are_equal_until_one_leaves_in_the_bar_of_its_entry(theirs, ours, engine):
    if engine not in theirs:
        pytest.skip(f"vectorbt has no {engine} engine here")
    row = theirs[engine]
    first = min(at for at, (leave, *_) in ours.items() if leave == at)
    mine = [(at, *trade) for at, trade in sorted(ours.items()) if at < first]
    yours = [trade for trade in zip(row["entry"], row["exit"], row["price"], row["out"], strict=True) if trade[0] < first]
    assert len(mine) > 2_500
    np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-9)


def test_the_trade_that_left_in_the_bar_of_its_entry_is_where_they_part(theirs, ours):
    row = theirs["numba"]
    first = min(at for at, (leave, *_) in ours.items() if leave == at)
    assert dict(zip(row["entry"], row["exit"], strict=True))[first] > first


@pytest.mark.data
@pytest.mark.skipif(not there(), reason=MISSING)
@pytest.mark.parametrize("engine", ["numba", "rust"])
def test_the_cross_on_goog_has_the_same_trades(tmp_path, engine):
    of = bars()
    at, side = crosses(of)
    sizes = pd.read_csv(FOLDER / "goog_smacross_trades.csv")["Size"].abs().to_numpy(float)     # what cash can pay at the open
    outcome = traded(of, lots=sizes)
    columns = np.zeros((2, len(of)))
    columns[:, at] = side, sizes
    np.savez(tmp_path / "given.npz", open=of["open"], close=of["close"], side=columns[0], size=columns[1], cash=CASH)
    result = others.run(Path(__file__).with_name("goog_with_vectorbt.py"), str(tmp_path / "given.npz"), engine)
    trades, equity = outcome.trades, outcome.equity["equity"]
    for name, column in (("size", trades["lots"]), ("entry_price", trades["entry_price"]), ("exit_price", trades["exit_price"]), ("pnl", trades["pnl"])):
        np.testing.assert_allclose(result["trades"][name], column, rtol=1e-9, err_msg=name)
    assert result["trades"]["entry_idx"] == of["ts"].searchsorted(trades["entry_ts"]).tolist()
    np.testing.assert_allclose(result["equity"], equity, rtol=1e-9)
