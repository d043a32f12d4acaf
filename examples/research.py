"""From data to a verdict over the API: make bars, run a backtest, judge it by a rule set, replay it as a paper session.

python examples/research.py [http://127.0.0.1:8501]
"""

from __future__ import annotations

import sys
import time

from tidemark_client import Client


def main(address: str = "http://127.0.0.1:8501") -> None:
    desk = Client(address)
    bars = desk.post("/data/synthetic", dict(model="gbm", instrument="EURUSD", timeframe="H1", start="2024-01-01", end="2024-07-01", seed=7), wait=300)
    dataset = bars["result"]["dataset"]
    run = desk.post("/backtests", dict(strategy="breakout", datasets=[dataset], timeframe="H1"), wait=600)["result"]["run"]
    metrics = desk.get(f"/backtests/{run}")["summary"]["metrics"]
    print(f"backtest {run}: {metrics['trades']:.0f} trades, Sharpe ratio {metrics['sharpe']:.2f}")
    judged = desk.post("/compliance/judge", dict(kind="run", id=run, rules="ftmo-1-step"), wait=300)
    print("FTMO 1-step:", desk.get(f"/compliance/verdicts/{judged['result']['run']}")["summary"].get("state"))
    name = f"example-{int(time.time())}"
    desk.post("/paper/sessions", dict(name=name, strategy="breakout", timeframes=["H1"], datasets=[dataset]))
    while not (session := desk.get(f"/paper/sessions/{name}"))["over"]:
        time.sleep(0.5)
    print(f"session {name}: {session['state_words'].lower()}, equity {session['equity']:,.2f} {session['currency']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
