"""Every page and view at three widths, light and dark, with results in it: what a script can tell is asserted, and TIDEMARK_PICTURES names a folder for pictures to look at."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.e2e.axe import grave
from tests.e2e.expecting import expect
from tests.e2e.looking import faults, picture, settled
from tests.e2e.pressing import press
from worker.desk import BacktestRequest, Desk, FeatureRequest, StartRequest
from worker.desk.scanner import Choice, ScanRequest
from worker.desk.training import TrainingRequest
from worker.settings import load
from worker.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]
WIDTHS = (390, 1280, 1920)
SCHEMES = ("light", "dark")
COLUMNS = ("atr(14)", "rsi(14)", "zscore(20)", "log_return(1)")
DIALOGS = {"delete-dataset": ("data", "Delete…"), "delete-run": ("backtest-trades", "Delete…"), "name-run": ("backtest-trades", "Name…"), "remove-example": ("overview", "Remove the example…"), "save-preset": ("backtest", "Save as preset…")}     # -> page, button
TABS = ("Trades", "Statistics", "Equity", "Monthly returns", "Distribution", "Breakdown", "Costs", "Robustness", "Rejected orders", "Reproducibility")


@pytest.fixture(scope="module")
def desk(system) -> Desk:
    """The desk of the running program; its workers do the jobs."""
    settings = load(environment=system.environment)
    return Desk(Store(settings.database_url, settings.frames_url), settings, "anna", send=lambda *_: False)       # the scheduler sends what was not sent


@pytest.fixture(scope="module")
def addresses(system, desk) -> dict[str, str]:
    """Name of a picture -> address, of all pages with something on them."""
    data = system.wait_for(lambda: system.terminal("data", "list"), 180)[0]["id"]
    system.wait_for(lambda: len(desk.backtests.latest()) == 2, 300)
    jobs = submitted(desk, data)
    ended = system.wait_for(lambda: all(not desk.jobs.get(job).open for job in jobs.values()), 1_200)
    failed = {name: desk.jobs.get(job).error for name, job in jobs.items() if desk.jobs.get(job).state != "done"}
    assert ended and not failed, failed
    runs = {name: desk.jobs.get(job).result["run"] for name, job in jobs.items()}
    stopped = stopped_jobs(desk, data)
    system.wait_for(lambda: all(not desk.jobs.get(job).open for job in stopped.values()), 600)
    one, other = (run.id for run in desk.backtests.latest()[:2])
    desk.paper.start(StartRequest("Walk", "breakout", {}, ("M15",), (data,)))
    system.wait_for(lambda: desk.paper.get("Walk").row.over, 600)
    return {
        "overview": "", "data": "data", "data-import": "data?do=import", "data-download": "data?do=download", "data-generate": "data?do=generate", "data-external": "data?view=external",
        "backtest": "backtest", **{f"backtest-{tab.lower().replace(' ', '-')}": f"backtest?run={one}&view={tab}" for tab in TABS}, "backtest-compare": f"backtest?run={one}&with={other}",
        "sweeps": "sweeps", **{f"sweeps-{name}": f"sweeps?run={runs[name]}" for name in ("sweep", "walk", "optimise")},
        "features": "features", "features-atr": "features?feature=atr", **{f"features-{view}": f"features?view={view}&run={runs[view]}" for view in ("compute", "ranking", "regimes", "similar", "look-ahead")},
        "training": "training", "training-result": f"training?view=result&run={runs['train']}", **{f"training-{view}": f"training?view={view}" for view in ("compare", "models", "drift")},
        "strategies": "strategies", "scanner": f"scanner?run={runs['scan']}",
        "compliance": f"compliance?run={one}", **{f"compliance-{view}": f"compliance?view={view}" for view in ("risk", "rules", "accounts", "fields")},
        "paper": "paper", "paper-session": "paper?session=Walk",
        "audit": "audit", **{f"audit-{view}": f"audit?view={view}" for view in ("days", "checkpoints", "ledger", "tampering")}, "audit-run": f"audit?entity=run:{one}",
        "training-failed": f"training?job={stopped['failed']}", "sweeps-cancelled": f"sweeps?job={stopped['cancelled']}",
        "jobs": "jobs", "help": "help", "settings": "settings", **{f"settings-{view}": f"settings?view={view}" for view in ("tokens", "requests", "people")},
    }  # fmt: skip


def submitted(desk: Desk, data: str) -> dict[str, str]:
    """A job for each page that shows results: name -> job."""
    dataset = desk.data.get(data)
    end = dataset.last_ts
    start = end - timedelta(days=120)
    features = FeatureRequest([data], dataset.timeframe, start, end, list(COLUMNS))
    backtest = BacktestRequest("breakout", {}, [data], dataset.timeframe, start, end, {})
    grid = dict(lookback=[20, 40, 60], stop_atr=[1.0, 2.0, 3.0])
    return {
        "sweep": desk.sweeps.submit_sweep(backtest, grid).job.id,
        "walk": desk.sweeps.submit_walk_forward(backtest, grid, dict(in_sample=40, out_of_sample=20)).job.id,
        "optimise": desk.sweeps.submit_optimise(backtest, dict(lookback=[10, 80]), dict(trials=12)).job.id,
        "compute": desk.features.submit_columns(features).job.id,
        "look-ahead": desk.features.submit_gate(features).job.id,
        "ranking": desk.examinations.submit_examination(features, plan=dict(resamples=100)).job.id,
        "similar": desk.examinations.submit_similar(features).job.id,
        "regimes": desk.regimes.submit_rules(features, ["volatility_regime"]).job.id,
        "train": desk.training.submit(TrainingRequest([data], dataset.timeframe, start, end, COLUMNS, "linear", "return", target_params=dict(horizon=4, every=16), scheme_params=dict(train=40, validation=5, calibration=10, test=15))).job.id,
        "scan": desk.scanner.submit(ScanRequest([Choice("breakout")], [data])).job.id,
    }


def stopped_jobs(desk: Desk, data: str) -> dict[str, str]:
    """A job that fails, and one that is cancelled."""
    dataset = desk.data.get(data)
    short = TrainingRequest([data], dataset.timeframe, dataset.last_ts - timedelta(days=20), dataset.last_ts, COLUMNS, "linear", "return", target_params=dict(horizon=4, every=16), scheme_params=dict(train=400, validation=5, calibration=10, test=15))
    failed = desk.training.submit(short).job.id
    cancelled = desk.sweeps.submit_sweep(BacktestRequest("breakout", {}, [data], dataset.timeframe, dataset.first_ts, dataset.last_ts, {}), dict(lookback=list(range(20, 120)), stop_atr=[1.0, 2.0])).job.id
    desk.jobs.cancel(cancelled)
    return dict(failed=failed, cancelled=cancelled)


@pytest.fixture(scope="module")
def names(desk) -> set[str]:
    """Names that are shown as people write them."""
    from domain.features import FEATURES
    from domain.strategies import STRATEGIES

    return {*FEATURES, *STRATEGIES}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window_clipped_faint_raw_or_broken(page, system, addresses, names, width, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    wrong = {}
    for name, address in addresses.items():
        page.set_viewport_size({"width": width, "height": 1000})
        page.goto(f"{system.url}/{address}")
        settled(page)
        if seen := faults(page, names):
            wrong[name] = seen
        picture(page, f"{name}-{width}-{scheme}")
    assert not wrong, "\n".join(f"{name}: {fault}" for name, seen in wrong.items() for fault in seen)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_view_state_or_dialog_has_a_serious_or_critical_violation(page, system, addresses, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    wrong = {}
    for name, address in addresses.items():
        page.goto(f"{system.url}/{address}")
        settled(page)
        if seen := grave(page):
            wrong[name] = seen
    for name, (behind, button) in DIALOGS.items():
        page.goto(f"{system.url}/{addresses[behind]}")
        settled(page)
        press(page.get_by_role("button", name=re.compile(f"{button}$")))
        expect(page.get_by_role("dialog")).to_be_visible()
        if seen := grave(page):
            wrong[name] = seen
    assert not wrong, "\n".join(f"{name}: {fault}" for name, seen in wrong.items() for fault in seen)
