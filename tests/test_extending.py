"""docs/extending.md: every template is put where it says, and used."""

from __future__ import annotations

import doctest
import importlib
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "extending.md"
BLOCKS = re.findall(r"^```(python|diff)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
FILES = {match[1]: code for language, code in BLOCKS if language == "python" and (match := re.match(r"# (\S+\.py)\n", code))}
EDITS = [(match[1], match[2]) for language, code in BLOCKS if language == "diff" and (match := re.match(r"\+\+\+ (\S+)\n(.*)", code, re.S))]
LIMIT = [(path, edit) for path, edit in EDITS if path != "worker/desk/data.py"]


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The module of a template, imported as if its file stood in its package; forgotten after the test."""

    def add(path: str) -> ModuleType:
        from domain.analytics.metrics import METRICS
        from domain.compliance.rule import RULES
        from domain.features import FEATURES
        from domain.market.readers import READERS
        from domain.models import LEARNERS
        from domain.registry import discover
        from domain.strategies import STRATEGIES
        from worker.jobs import JOBS

        for registry in (METRICS, RULES, FEATURES, LEARNERS, READERS, STRATEGIES, JOBS):
            monkeypatch.setattr(registry, "_things", dict(registry._things))
        package = importlib.import_module(Path(path).parent.as_posix().replace("/", "."))
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(FILES[path])
        folder = str((tmp_path / path).parent)
        monkeypatch.setattr(package, "__path__", [*package.__path__, folder])
        name = f"{package.__name__}.{Path(path).stem}"
        monkeypatch.delitem(sys.modules, name, raising=False)
        discover(package.__name__, [folder])
        return sys.modules[name]

    yield add
    for path in FILES:
        name = path.removesuffix(".py").replace("/", ".")
        module = sys.modules.get(name)
        if module is not None and str(tmp_path) in str(module.__file__):
            del sys.modules[name]


@pytest.fixture(scope="module")
def bars() -> pd.DataFrame:
    from domain.market.instrument import instrument
    from domain.market.timeframe import Timeframe
    from domain.venues.synthetic import GBM, generate

    start, end = (datetime(2024, month, 1, tzinfo=UTC) for month in (3, 4))
    return generate(GBM(), instrument("EURUSD"), Timeframe.named("M15"), start, end, seed=5)


def edited(text: str, edit: str) -> str:
    """A file's text with the lines of a diff: those it shows must stand there once, one after another; those with a plus are added."""
    lines = edit.splitlines()
    before = "".join(line[1:] + "\n" for line in lines if not line.startswith("+"))
    after = "".join(line[1:] + "\n" for line in lines)
    assert text.count(before) == 1, f"these lines do not stand there once:\n{before}"
    return text.replace(before, after)


def test_the_page_has_a_template_for_each():
    assert sorted(FILES) == [
        "domain/analytics/metrics.py", "domain/compliance/rules/least_balance.py", "domain/features/medians.py", "domain/market/readers/json_lines.py", "domain/models/bins.py", "domain/strategies/pullback.py",
        "pages/instruments.py", "worker/jobs/hours.py",
    ]  # fmt: skip
    assert len(LIMIT) >= 5


def test_a_strategy_from_one_file_is_in_the_form_sees_no_future_and_trades(added, bars):
    from domain.backtest.study import Rules, Series, run
    from domain.causality import check_strategy
    from domain.features import Context
    from domain.market.instrument import instrument
    from domain.market.timeframe import Timeframe
    from domain.params import faults, params_of
    from domain.strategies import STRATEGIES

    added("domain/strategies/pullback.py")
    strategy, eurusd, m15 = STRATEGIES["pullback"](trend=50), instrument("EURUSD"), Timeframe.named("M15")
    assert [param.name for param in params_of(STRATEGIES["pullback"])] == ["trend", "rsi_window", "low", "stop_atr", "target_r"]
    assert set(faults(STRATEGIES["pullback"], dict(low=60))) == {"low"}
    assert check_strategy(bars, strategy, Context(eurusd, m15), cuts=3).green
    result = run([Series(eurusd, m15, bars)], Rules(), strategy)
    assert len(result.outcome.trades) > 10 and result.metrics["trades"] == len(result.outcome.trades)


def test_a_feature_from_one_file_is_in_the_catalogue_and_the_same_bar_by_bar(added, bars):
    from domain.causality import check_features
    from domain.features import FEATURES, compute, use, warm_up_of
    from domain.features.recipes import recipe
    from domain.features.stream import Stream

    module = added("domain/features/medians.py")
    assert doctest.testmod(module) == doctest.TestResults(0, 1)
    median = use("median_close", window=10)
    values = compute(bars, [median])[median.column].to_numpy()
    np.testing.assert_array_equal(values, bars["close"].rolling(10).median())
    assert warm_up_of(median) == 9 and check_features(bars, [median], cuts=3).green
    stream = Stream(bars.iloc[:100], [median])
    assert [stream.append(bars.iloc[at])[median.column] for at in (100, 101)] == values[100:102].tolist()
    assert FEATURES["median_close"].help.startswith("Median of the last") and [use.name for use in recipe("medians").uses] == ["median_close"]


def test_a_learner_from_one_file_is_in_the_form_and_keeps_what_every_learner_keeps(added):
    from domain.models import LEARNERS
    from domain.params import faults
    from tests.domain.models import test_conformance as conformance

    module = added("domain/models/bins.py")
    assert set(faults(LEARNERS["bins"], dict(bins=1))) == {"bins"}
    fits = conformance.Fits()
    for task in ("binary", "number"):
        for check in conformance.CHECKS:
            check(**{name: dict(case=("bins", task), fits=fits)[name] for name in check.__code__.co_varnames[: check.__code__.co_argcount]})
    every = conformance.samples()
    fitted = module.Bins(bins=2).fit(every, every, 0, conformance.ignore)
    column = every.rows()[:, 0]
    above = column > np.nanquantile(column, 0.5)
    assert fitted.predict(every.rows()[above])[0, 0] == pytest.approx(np.average(every.y[above], weights=every.weight[above]))


def test_a_metric_is_measured(monkeypatch):
    from domain.analytics import metrics
    from tests.domain.analytics.makers import equity, fills, trades

    monkeypatch.setattr(metrics.METRICS, "_things", dict(metrics.METRICS._things))
    exec(compile(FILES["domain/analytics/metrics.py"], str(PAGE), "exec"), dict(vars(metrics)))
    three = trades(np.array([1.0, -1.0, 0.5]))
    assert metrics.measure(three, fills(three), equity(three), 10_000.0)["median_r"] == 0.5
    none = trades(np.array([]))
    assert metrics.METRICS["median_r"].value(metrics.facts_of(none, fills(none), equity(three), 10_000.0)) is np.nan
    assert metrics.METRICS["median_r"].family in metrics.FAMILIES and metrics.METRICS["median_r"].unit in metrics.UNITS


CHECK_OF_A_LIMIT = """
import json

import numba
import numpy as np

from domain.backtest.kernel.limits import forbidden_here
from domain.backtest.memory import address_of
from domain.backtest.prepare import prepare
from domain.backtest.state import ACCOUNT, CONTEXT, COUNTS, POSITION, TASK
from domain.compiled_linking import CompilesWhole
from domain.params import params_of
from domain.risk.limits import Limits
from domain.trading.outcomes import LIMIT_DROPS, label
from domain.trading.rules import Rules
from tests.reference.execution import simulate
from tests.reference.worked import bars_of, run_by, task_of
from worker.settings import ROOT, load

@numba.njit(pipeline_class=CompilesWhole)
def forbidden(context, side):
    return forbidden_here(context[0], 0, side, 0)

account, positions, context, tasks, warn = np.zeros(1, ACCOUNT), np.zeros(4, POSITION), np.zeros(1, CONTEXT), np.zeros(1, TASK), np.zeros(1, np.int8)
account["positions"], positions["side"], positions["gone"] = 4, (1, 1, 1, -1), (0, 1, 0, 0)
context["account"], context["positions"], context["tasks"], context["warn"], context["max_per_side"] = *map(address_of, (account, positions, tasks, warn)), 2
task = task_of(bars_of(*[(1.1, 1.1, 1.1, 1.1)] * 5), dict(at=0, side="long", tag="a"), dict(at=1, side="long", tag="b"), dict(at=2, side="short", tag="c"))
outcome = run_by(simulate, task, limits=Limits(max_per_side=1))
print(json.dumps(dict(
    field="max_per_side" in {param.name for param in params_of(Limits)} and "max_per_side" in CONTEXT.names, on=bool(prepare([task], Rules(limits=Limits(max_per_side=1))).context["limited"][0]),
    drops="limit_side" in LIMIT_DROPS, label=label("limit_side"), codes=[[None, *COUNTS][1 + int(forbidden(context, side))] for side in (1, -1)],
    refused=outcome.reviews[["order_id", "reason"]].values.tolist(), trades=len(outcome.trades), setting=load(ROOT / "config.toml", {"TIDEMARK_LIMITS_MAX_PER_SIDE": "2"}).limits.max_per_side,
)))
"""


def test_a_limit_is_these_lines_in_these_files(tmp_path):
    """On a copy of the tree, in a process of its own; the whole kernel is compiled and compared by ``make check-kernel``."""
    for folder in ("domain", "worker", "tests/reference"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ("config.toml", "tests/__init__.py"):
        shutil.copy(ROOT / path, tmp_path / path)
    for path, edit in LIMIT:
        (tmp_path / path).write_text(edited((tmp_path / path).read_text(), edit))
    process = subprocess.run([sys.executable, "-c", CHECK_OF_A_LIMIT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert not process.returncode, process.stderr
    assert json.loads(process.stdout) == dict(
        field=True, on=True, drops=True, label="Maximum positions on one side", codes=["limit_side", None], refused=[[2, "limit_side"]], trades=2, setting=2
    )


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_page_is_in_the_menu_and_draws(added, desk):
    from streamlit.testing.v1 import AppTest

    import pages
    from app.kit.page import all_pages

    module = added("pages/instruments.py")
    assert module in all_pages(pages)

    def script(desk):
        import importlib

        importlib.import_module("pages.instruments").render(desk)

    page = AppTest.from_function(script, kwargs=dict(desk=desk), default_timeout=60).run()
    assert not page.exception and page.title[0].value == "Instruments"
    shown = page.dataframe[0].value
    assert shown[shown["Instrument"] == "EURUSD"]["Pip"].tolist() == ["0.0001"]


def dataset(store, bars: pd.DataFrame) -> str:
    """The id of a dataset of ``bars``, without an import."""
    frame = store.frames.put(bars)
    about = dict(version="v1", instrument="EURUSD", timeframe="M15", side="bid", clock="UTC", source="CSV", verdict="clean", quality={}, provenance={}, synthetic=False, example=False)
    size = dict(first_ts=bars["ts"].iloc[0].to_pydatetime(), last_ts=bars["ts"].iloc[-1].to_pydatetime(), bars=len(bars), gaps=0, spread=None, frame=frame, ledger=None, bytes=1)
    with store.unit() as unit:
        return unit.datasets.add(**about, **size, actor="ana", created_at=unit.now())[0].id


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_job_is_submitted_once_and_leaves_its_result_in_a_unit_of_work(added, store, settings, sent, bars):
    from domain.errors import BadRequest
    from worker.desk import Actor, data
    from worker.desk.context import DeskContext
    from worker.jobs import JOBS
    from worker.jobs.base import Work

    added("worker/jobs/hours.py")
    edit = next(edit for path, edit in EDITS if path == "worker/desk/data.py")
    names = dict(vars(data))
    exec(compile(edited(Path(data.__file__).read_text(), edit), data.__file__, "exec"), names)
    view = names["Data"](DeskContext(store, settings, Actor("ana"), sent))
    name = dataset(store, bars)
    submitted = view.count_hours(name)
    assert submitted.new and not view.count_hours(name).new and sent == [("interactive", submitted.job.id)]

    work = Work(store, settings, submitted.job)
    commit = JOBS["count_hours"].run(submitted.job.spec, work)
    with store.unit() as unit:
        result = commit(unit)
    assert sum(result.result["hours"].values()) == len(bars) and result.event == "hours_counted" and result.entities == (f"dataset:{name}",)
    assert [stage for stage, _ in work.take_updates()["stages"]] == ["Load bars", "Count"]
    with pytest.raises(BadRequest, match="there is no dataset nowhere"):
        JOBS["count_hours"].run(dict(dataset="nowhere"), work)


def test_a_reader_recognises_its_format_and_counts_what_is_no_bar(added, tmp_path):
    from domain.market import readers
    from domain.market.instrument import instrument

    added("domain/market/readers/json_lines.py")
    path = tmp_path / "EURUSD.jsonl"
    rows = [dict(t=1_704_675_600_000 + at * 60_000, o=1.1, h=1.2, l=1.0, c=1.15) for at in range(3)]
    path.write_text("\n".join([json.dumps(rows[0]), "rubbish", json.dumps(rows[1]), json.dumps(rows[2] | dict(t="soon"))]) + "\n")
    assert readers.recognise(path).format == "json_lines"
    raw = readers.read(path, "json_lines", instrument("EURUSD"))
    assert raw.local_ns.tolist() == [1_704_675_600_000_000_000, 1_704_675_660_000_000_000] and raw.close.tolist() == [1.15, 1.15]
    assert raw.malformed_count == 2 and [bad.line for bad in raw.malformed] == [2, 4] and raw.line.tolist() == [1, 3]


def test_a_compliance_rule_from_one_file_is_read_judged_and_the_same_in_pieces(added):
    from domain.compliance import Instant, Judge, Path, judge, load

    added("domain/compliance/rules/least_balance.py")
    rules = load('least_balance = "95 %"\n[day]\nreset = "00:00"\ntz = "UTC"')
    hour = 3_600_000_000_000
    ts, balance = np.arange(1, 6) * hour, np.array([100.0, 96.0, 95.0, 94.0, 93.0])
    whole = judge(Path(ts, balance, balance), rules)
    assert (whole.state, whole.rules[0].floor, whole.rules[0].first_breach.ts, whole.rules[0].breaches) == ("failed", 95.0, 4 * hour, 1)
    assert whole.floors["least_balance"].tolist() == [95.0] * 5
    single = Judge(rules, 100.0)
    assert [len(single.step(Instant(int(at), value, value))) for at, value in zip(ts, balance, strict=True)] == [0, 0, 0, 1, 0]
    with pytest.raises(Exception, match="did you mean 'least_balance'"):
        load('least_balanse = "95 %"\n[day]\nreset = "00:00"\ntz = "UTC"')
