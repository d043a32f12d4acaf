"""Comparison, reports and reproduction of runs: every change is found and named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from domain import manifest
from domain.errors import BadRequest
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest, Filter
from worker.store.schema import runs

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
RULES = {"sizing": {"kind": "fraction_at_risk", "value": 0.005}}
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def dataset(desk, system) -> str:
    return finished(desk, desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3))["dataset"]


def finished(desk, submitted) -> Mapping[str, Any]:
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return job.result


def backtest(desk, dataset: str, params: Mapping[str, Any] | None = None, **rules: Any) -> str:
    backtest_request = BacktestRequest("breakout", params or {}, [dataset], "H1", START, END, RULES | rules)
    return finished(desk, desk.backtests.submit(backtest_request))["run"]


def again(desk, run: str) -> Mapping[str, Any]:
    return finished(desk, desk.compare.reproduce(run))


def change(store, run: str, **values: Any) -> None:
    """What nobody should do: write into the row of a run."""
    with store.engine.begin() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run).values(**values))


def older(store, run: str, **values: Any) -> None:
    """The row as another version of the program would have recorded it."""
    change(store, run, **values)
    with store.unit() as unit:
        unit.seals.put("run", run)


def path_of(store, name: str) -> Path:
    return Path(store.frames._path(name))


# -- made again


def test_the_same_code_gives_the_same_bytes_and_an_event_says_so(desk, dataset):
    run = backtest(desk, dataset)
    result = again(desk, run)
    assert (result["verdict"], result["reasons"], result["difference"], result["changed"]) == ("same", [], "", [])
    frames = desk.backtests.get(run).frames
    assert [(row["name"], row["then"], row["same"]) for row in result["frames"]] == [(name, frames[name], True) for name in frames if name in ("fills", "trades", "equity", "reviews", "moves", "benchmark")]
    event = desk.trail.page(Filter(entity=f"run:{run}"), size=1)[0][0]
    assert (event.kind, event.actor, event.detail["verdict"]) == ("run_reproduced", "ana", "same")
    assert [reproduction["verdict"] for reproduction in desk.compare.reproductions(run)] == ["same"]


def test_a_double_click_is_one_job_and_a_later_click_another(desk, dataset):
    run = backtest(desk, dataset)
    first, second = desk.compare.reproduce(run), desk.compare.reproduce(run)
    assert first.new and not second.new and first.job.id == second.job.id
    actors.run(first.job.id)
    assert desk.compare.reproduce(run).new


def test_a_stored_frame_that_was_changed_is_found(desk, store, dataset):
    run = backtest(desk, dataset)
    name = desk.backtests.get(run).frames["fills"]
    fills = pd.read_parquet(path_of(store, name))
    fills.loc[3, "price"] += 1e-9
    fills.to_parquet(path_of(store, name), index=False)
    reproduction = again(desk, run)
    assert reproduction["verdict"] == "altered" and reproduction["reasons"][0]["what"] == "stored"
    assert "The stored fills are not those that were recorded: they hash to" in reproduction["sentence"]


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1 no more")])
def test_a_stored_frame_that_is_gone_or_broken_comes_out_again(desk, store, dataset, harm):
    run = backtest(desk, dataset)
    harm(path_of(store, desk.backtests.get(run).frames["trades"]))
    reproduction = again(desk, run)
    assert reproduction["verdict"] == "altered" and "The stored trades" in reproduction["sentence"] and "no longer" in reproduction["sentence"]
    with pytest.raises(BadRequest, match=r"A stored table \(.*\) (is no longer in the workspace|was altered since it was written), so it is not used"):
        desk.compare.report(run, "html")


def test_a_changed_parameter_is_found_and_the_first_other_fill_is_named(desk, store, dataset):
    run = backtest(desk, dataset)
    spec = dict(desk.backtests.get(run).spec)
    change(store, run, spec=spec | dict(params=spec["params"] | dict(lookback=11)))
    reproduction = again(desk, run)
    assert reproduction["verdict"] == "different" and [reason["what"] for reason in reproduction["reasons"]] == ["question"]
    assert f"strategy.params.lookback was {spec['params']['lookback']} and is 11" in reproduction["sentence"]
    assert reproduction["difference"].startswith("In fills: Fill ") and "in the recorded run" in reproduction["difference"]
    assert reproduction["changed"][0]["path"] == "strategy.params.lookback"


def test_a_row_whose_hashes_were_rewritten_is_betrayed_by_the_trail(desk, store, dataset):
    run, other = backtest(desk, dataset), backtest(desk, dataset, dict(lookback=11))
    change(store, run, frames=dict(desk.backtests.get(other).frames))
    reproduction = again(desk, run)
    assert reproduction["verdict"] == "different" and "is not what the audit trail recorded when it was made: frames.equity, frames.fills" in reproduction["sentence"]


def test_a_figure_that_was_polished_is_found(desk, store, dataset):
    run = backtest(desk, dataset)
    summary = dict(desk.backtests.get(run).summary)
    change(store, run, summary=summary | dict(metrics=summary["metrics"] | dict(sharpe=9.9)))
    reproduction = again(desk, run)
    assert reproduction["verdict"] == "altered" and "Figures come out otherwise: sharpe was 9.9 and is" in reproduction["sentence"]


def test_other_code_and_other_libraries_are_named(desk, dataset, monkeypatch):
    run = backtest(desk, dataset)
    monkeypatch.setattr(manifest, "code_hash", lambda *entries: "0123456789abcdef")
    monkeypatch.setattr(manifest, "libraries", lambda *entries: desk.backtests.get(run).manifest["libraries"] | dict(numpy="9.9.9"))
    reproduction = again(desk, run)
    assert reproduction["verdict"] == "same" and [reason["what"] for reason in reproduction["reasons"]] == ["code", "library"]
    assert "then, 0123…ef now." in reproduction["sentence"] and "A library has another version: numpy" in reproduction["sentence"] and "9.9.9 now" in reproduction["sentence"]


def test_data_that_is_gone_or_changed_makes_it_impossible(desk, store, dataset):
    run = backtest(desk, dataset)
    stored_dataset = desk.data.get(dataset)
    bars = pd.read_parquet(path_of(store, stored_dataset.frame))
    bars.assign(close=bars["close"].where(bars.index != 7, bars["open"][7])).to_parquet(path_of(store, stored_dataset.frame), index=False)
    reproduction = again(desk, run)
    assert reproduction["verdict"] == "impossible" and "are no longer version" in reproduction["sentence"] and reproduction["frames"] == []
    with store.unit() as unit:
        unit.datasets.remove(dataset)
    assert f"The data version {stored_dataset.version[:4]}…{stored_dataset.version[-2:]} of EURUSD H1 is no longer here." in again(desk, run)["sentence"]


# -- side by side


def test_two_runs_side_by_side(desk, dataset):
    first, other = backtest(desk, dataset), backtest(desk, dataset, dict(lookback=11), costs={"spread": 0.0003})
    comparison = desk.compare.runs(first, other)
    assert not comparison.same and comparison.changed["path"].tolist() == ["params.lookback", "costs.spread"]
    assert comparison.warnings == ("Costs differ (spread).",) and comparison.fills is not None and comparison.sentence == comparison.fills.sentence
    net = comparison.metrics.set_index("key").loc["net_profit"]
    profits = [desk.backtests.get(run).summary["metrics"]["net_profit"] for run in (first, other)]
    assert [net["a"], net["b"]] == profits and net["difference"] == pytest.approx(profits[1] - profits[0])


def test_a_run_beside_itself_is_the_same(desk, dataset):
    run = backtest(desk, dataset)
    comparison = desk.compare.runs(run, run)
    assert comparison.same and comparison.changed.empty and comparison.warnings == () and comparison.fills is None and (comparison.metrics["difference"].fillna(0) == 0).all()


def test_runs_on_other_bars_are_warned_of(desk, dataset):
    other = finished(desk, desk.data.generate("gbm", {}, "EURUSD", "H1", START, END, 4))["dataset"]
    comparison = desk.compare.runs(backtest(desk, dataset), backtest(desk, other))
    assert comparison.warnings[0].startswith("The bars differ (EURUSD.version")


# -- as a report


def test_a_report_of_a_stored_run_is_the_same_twice_and_each_is_an_event(desk, dataset):
    run = backtest(desk, dataset)
    desk.backtests.rename(run, "<script>x</script>", "")
    for form in desk.compare.forms():
        assert desk.compare.report(run, form) == desk.compare.report(run, form)
        last = desk.trail.page(size=1)[0][0]
        assert (last.kind, last.detail["what"], last.detail["form"]) == ("downloaded", "report", form)
    page = desk.compare.report(run, "html").decode()
    assert "&lt;script&gt;x" in page and "<script" not in page and desk.backtests.get(run).frames["equity"] in page
    assert "1 trial is counted with breakout on these bars, this one included." in page and "synthetic bars" in page


def test_a_run_of_before_remarks_had_levels_has_a_report_too(desk, store, dataset):
    run = backtest(desk, dataset)
    summary = {key: value for key, value in desk.backtests.get(run).summary.items() if key not in ("belief", "histories", "look_ahead")}
    older(store, run, summary=summary | dict(remarks=["A sentence."]))
    assert b"Robustness checks" in desk.compare.report(run, "html")


def test_an_invalid_request_is_a_sentence(desk, store, dataset):
    run = backtest(desk, dataset)
    with pytest.raises(BadRequest, match="did you mean 'html'"):
        desk.compare.report(run, "htm")
    for act in (lambda: desk.compare.reproduce("nosuch"), lambda: desk.compare.runs(run, "nosuch"), lambda: desk.compare.report("nosuch", "txt")):
        with pytest.raises(BadRequest, match="there is no run nosuch"):
            act()
    older(store, run, kind="walk_forward")
    with pytest.raises(BadRequest, match="is of the kind walk forward; reports, comparison and reproduction are for backtests"):
        desk.compare.reproduce(run)


# -- from the terminal


@pytest.fixture
def terminal(desk, monkeypatch):
    """``tidemark runs`` on the desk of the test."""
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)

    def run(*words: str):
        result = CliRunner().invoke(app, ["runs", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def test_the_terminal_writes_compares_and_reproduces(desk, store, dataset, terminal, tmp_path):
    first, other = backtest(desk, dataset), backtest(desk, dataset, dict(lookback=11))
    terminal("report", first, "--out", str(tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["drawdown.svg", "equity.svg", "report.html", "report.txt"]
    assert "params.lookback" in terminal("compare", first, other).stdout
    output = json.loads(terminal("compare", first, other, "--json").stdout)
    assert not output["same"] and output["changed"][0]["path"] == "params.lookback" and output["fills"]["row"] >= 1
    same = terminal("reproduce", first)
    assert same.exit_code == 0 and "same: The same question on the same code gave the same bytes." in same.stdout
    summary = dict(desk.backtests.get(first).summary)
    change(store, first, summary=summary | dict(metrics=summary["metrics"] | dict(trades=1.0)))
    altered = terminal("reproduce", first, "--json")
    assert altered.exit_code == 1 and json.loads(altered.stdout)["verdict"] == "altered"
