"""Server time of the Backtest page's views, on a run of 734,000 bars and some 49,000 trades: ``python -m benchmarks.laboratory``.

Processor time of a whole page with the view open: first in a process that has loaded nothing of the view, then a second time.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

LOOKBACK, LEAVE = 10, 20     # of a breakout that trades about as often as the workload of the engine


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="tidemark-laboratory-"))
    os.environ |= {"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_EXAMPLE": "false"}
    run_id = _stored_run(home)
    from streamlit.testing.v1 import AppTest

    print("view           first in a session, again; Manifest reads nothing of the run, so it is what any page costs")
    for view in ("Manifest", "Trades", "Equity", "Months", "Distribution", "Groups", "Costs", "Believe", "Refused", "Manifest"):
        page = AppTest.from_function(_page, default_timeout=60)
        page.query_params["run"], page.query_params["view"] = run_id, view
        print(f"{view:14}", *(f"{_drawn(page):6.0f} ms" for _ in range(2)))


def _stored_run(home: Path) -> str:
    from benchmarks import workload
    from worker.actors import WorkerContext, run
    from worker.desk import BacktestRequest, open_here

    desk = open_here()
    desk = type(desk)(desk.jobs._context.store, desk.settings, send=lambda *_: True)
    WorkerContext.store, WorkerContext.settings, WorkerContext.running, WorkerContext.leaving = desk.jobs._context.store, desk.settings, set(), False
    workload.bars().to_parquet(home / "EURUSD_M5.parquet", index=False)
    job = desk.data.import_(desk.data.stage_path(str(home / "EURUSD_M5.parquet")), "EURUSD", "M5", clock_key="UTC", repair=True).job
    run(job.id)
    dataset = desk.data.catalogue()[0]
    params = dict(lookback=LOOKBACK, quiet=0.0, max_bars=LEAVE, stop_atr=2.0, target_r=1.5)
    backtest_request = BacktestRequest("breakout", params, [dataset.id], "M5", dataset.first_ts, dataset.last_ts, dict(account=dict(balance=1e9), sizing=dict(kind="fixed_lots", value=0.1)))
    for what in ("first, with compiling", "again"):
        began = time.perf_counter()
        job = desk.backtests.submit(backtest_request).job
        run(job.id)
        stored_run = desk.backtests.latest()[0]
        print(f"job {what}: {time.perf_counter() - began:.2f} s, {stored_run.summary['bars']:,} bars, {stored_run.summary['metrics']['trades']:,.0f} trades")
        if what == "again":
            break
        desk.backtests.delete(stored_run.id)
    return stored_run.id


def _page() -> None:
    import streamlit as st

    from app.desk import desk
    from app.kit import theme  # noqa: F401
    from pages.backtest import render

    st.session_state["page"], st.session_state["pages"] = "backtest", {}
    render(desk())


def _drawn(page) -> float:
    began = time.process_time()
    page.run()
    assert not page.exception, page.exception
    return 1_000 * (time.process_time() - began)


if __name__ == "__main__":
    main()
