"""Runs of training and models that nothing was trained for, to draw the page with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

START = pd.Timestamp("2015-01-05", tz="UTC")
DAY = pd.Timedelta(days=1)


def scores_row(**more: Any) -> dict[str, Any]:
    row = dict(start="2019-01-02T00:00:00Z", end="2019-12-30T00:00:00Z", rows=3_000, rate=0.577, predicted=0.571, brier=0.2401, log_loss=0.6731, auc=0.557, pr_auc=0.621, calibration_error=0.012, rank_ic=0.098, reasons={})
    return row | dict(signals=3_000, taken=1_400, mean_r=-0.21, mean_r_taken=-0.14, sum_r=-630.0, sum_r_taken=-196.0, win_rate=0.31, win_rate_taken=0.36) | more


def baseline(name: str, gain: float, low: float, high: float, state: str) -> dict[str, Any]:
    return dict(name=name, loss="brier", model=0.2401, baseline=0.2401 + gain, gain=gain, low=low, high=high, days=1_800, block=12, state=state, reason="")


def report(scheme: str = "walk_forward", state: str = "amber") -> dict[str, Any]:
    """A report on signals; of CPCV without an equity."""
    rng = np.random.default_rng(3)
    days = pd.date_range(START + 1_500 * DAY, periods=400, freq="4D")
    without, with_filter = np.cumsum(rng.normal(-1.5, 8, 400)), np.cumsum(rng.normal(-0.5, 5, 400))
    curve = [dict(day=f"{day:%Y-%m-%d}", without=float(a), **{"with": float(b)}) for day, a, b in zip(days, without, with_filter, strict=True)]
    side = dict(sum_r=-196.0, max_drawdown_r=240.0, sharpe_day=-0.02)
    bins = np.linspace(0.42, 0.72, 10)
    paths = [dict(path=path, signals=3_000, taken=1_400, mean_r=-0.2, mean_r_taken=-0.1, sum_r=-600.0, sum_r_taken=-150.0 + 60 * path, win_rate=0.3, win_rate_taken=0.35) for path in range(5)]
    spread = {name: dict(low=-300.0, median=-120.0, high=60.0) for name in ("sum_r", "sum_r_taken", "mean_r", "mean_r_taken")}
    scores: dict[str, Any] = dict(
        task="binary", main="auc", all=scores_row(rows=21_400, signals=21_400, taken=9_820), raw=dict(rows=21_400, brier=0.2433, calibration_error=0.031, reasons={}),
        fold=[scores_row(fold=k, start=f"{2018 + k}-01-02T00:00:00Z", end=f"{2018 + k}-12-30T00:00:00Z", auc=0.55 + 0.006 * k, sizes=dict(train=12_000, purged=14)) for k in range(1, 8)],
        year=[scores_row(year=2018 + k, auc=0.551 + 0.004 * (k % 4)) for k in range(1, 8)], regime=[scores_row(regime=name, auc=value) for name, value in (("calm", 0.561), ("volatile", 0.548))],
        months=[scores_row(months=k, auc=0.565 - 0.002 * k) for k in range(12)], path=[scores_row(path=k, auc=0.55 + 0.003 * k) for k in range(5)] if scheme == "cpcv" else [],
        calibration=[dict(low=p - 0.02, high=p + 0.02, count=2_140, predicted=float(p), observed=float(p + rng.normal(0, 0.012)), observed_low=float(p - 0.02), observed_high=float(p + 0.02)) for p in bins],
        levels=[], coverage=[], filter=dict(gain=0.07, low=0.031, high=0.109, days=1_800, reason="", paths=paths, spread=spread),
        equity=dict(days=1_800, curve=curve, **{"with": side, "without": side | dict(sum_r=-630.0, max_drawdown_r=655.0)}) if scheme != "cpcv" else None, reasons={},
    )  # fmt: skip
    reasons = ["The strategy loses with the filter, too.", "After 15 trials the deflated Sharpe ratio is 0.02; 0.95 is required."]
    return dict(
        verdict=dict(state=state, sentence="The filter helps, but the strategy still loses: mean −0.14 R against −0.21 R for all signals.", reasons=reasons if state == "amber" else [], whole=True),
        trials=dict(family="breakout", count=15, counted=True, variance=0.001, dsr=0.02 if scheme != "cpcv" else None, significance=None, reason="" if scheme != "cpcv" else "Paths have no deflated Sharpe ratio: only a walk-forward's equity would have been there."),
        control=dict(state="red" if state == "red" else "green", sentence="With permuted labels the ROC AUC is 0.503, within 4 standard errors (0.004) of 0.5.", folds=3, rows=9_000, auc=0.503, auc_error=0.0037, rank_ic=None, ic_error=None, bound=4.0),
        scores=scores, baselines=[baseline("prior", 0.0041, 0.0029, 0.0053, "better"), baseline("linear", 0.0006, -0.0004, 0.0016, "undecided")], crossed=dict(share=None, fold=[], reason="There are no quantiles."),
    )  # fmt: skip


def quantile_report() -> dict[str, Any]:
    """A report of a forecast with quantiles."""
    reported = report()
    row = dict(start="2019-01-02T00:00:00Z", end="2019-12-30T00:00:00Z", rows=30_000, mae=0.00081, rank_ic=0.011, pinball=0.000212, crps=0.000424, coverage=0.8001, nominal=0.8, width=0.00169, reasons={})
    scores = reported["scores"] | dict(task="number", main="crps", all=row, raw=row | dict(coverage=0.8026), fold=[row | dict(fold=k, crps=0.0004 + 1e-5 * k) for k in range(1, 6)], year=[row | dict(year=2018 + k, coverage=0.7999 + 0.0003 * k, crps=0.0004 + 1e-5 * k) for k in range(1, 6)], regime=[], months=[], path=[])
    scores |= dict(
        calibration=[], levels=[dict(level=level, count=30_000, observed=level + 0.002, observed_low=level - 0.004, observed_high=level + 0.006) for level in (0.1, 0.25, 0.5, 0.75, 0.9)],
        coverage=[dict(low=0.1, high=0.9, nominal=0.8, count=30_000, coverage=0.8001, coverage_low=0.796, coverage_high=0.804, below=0.0999, above=0.1, width=0.00169), dict(low=0.25, high=0.75, nominal=0.5, count=30_000, coverage=0.503, coverage_low=0.498, coverage_high=0.508, below=0.2485, above=0.2485, width=0.0009)],
        filter=None, equity=None, reasons=dict(equity="Its samples are no trades, so there is no R, no equity and no Sharpe ratio.", regime="No regimes were given."),
    )  # fmt: skip
    return reported | dict(
        scores=scores, crossed=dict(share=0.0012, fold=[], reason=""), baselines=[baseline("climatology", 1.1e-5, 4e-6, 1.8e-5, "better") | dict(loss="pinball"), baseline("linear", -2e-6, -6e-6, 2e-6, "undecided") | dict(loss="pinball")],
        trials=reported["trials"] | dict(family="forecast", dsr=None, reason="Its samples are no trades, so there is no R, no equity and no Sharpe ratio."), verdict=dict(state="amber", sentence="Its intervals hold what they promise; its median is no better than a linear model.", reasons=["Not better than linear."], whole=True),
    )  # fmt: skip


def samples(count: int = 2_000) -> pd.DataFrame:
    start = START + pd.to_timedelta(np.arange(count) * 36, unit="h")
    return pd.DataFrame(dict(sample=np.arange(count), instrument="EURUSD", start=start, end=start + pd.Timedelta(hours=30), y=0.0, r=np.where(np.arange(count) % 3, -1.0, 1.5), uniqueness=0.6))


def folds(scheme: str = "walk_forward", count: int = 2_000) -> pd.DataFrame:
    """Walk-forward in six steps, or CPCV(6, 2)."""
    from itertools import combinations

    rows = []
    every = np.arange(count)
    if scheme == "cpcv":
        groups = np.array_split(every, 6)
        for number, tested in enumerate(combinations(range(6), 2), 1):
            part = np.full(count, "train", object)
            for k in tested:
                part[groups[k]] = "test"
                part[max(groups[k][0] - 2, 0) : groups[k][0]] = "purged"
                part[groups[k][-1] + 1 : groups[k][-1] + 3] = "purged"
                part[groups[k][-1] + 3 : groups[k][-1] + 5] = "embargoed"
            training = np.flatnonzero(part == "train")
            part[training[int(0.8 * len(training)) :]] = "calibration"
            part[training[int(0.7 * len(training)) : int(0.8 * len(training))]] = "validation"
            rows.append(pd.DataFrame(dict(fold=number, sample=every, part=part)))
        return pd.concat(rows, ignore_index=True)
    for number in range(6):
        first = number * 200
        edges = np.cumsum([first, 600, 60, 140])
        part = dict(train=every[edges[0] : edges[1] - 2], purged=every[edges[1] - 2 : edges[1]], validation=every[edges[1] : edges[2]], calibration=every[edges[2] : edges[3] - 1], embargoed=every[edges[3] - 1 : edges[3]], test=every[edges[3] : edges[3] + 200])
        rows += [pd.DataFrame(dict(fold=number + 1, sample=inside, part=name)) for name, inside in part.items()]
    return pd.concat(rows, ignore_index=True)


def predictions(scheme: str = "walk_forward") -> pd.DataFrame:
    """``p`` and what was taken, on test parts; CPCV with its five paths."""
    rng = np.random.default_rng(5)
    tested = folds(scheme).query("part == 'test'").drop(columns="part").reset_index(drop=True)
    tested["path"] = tested.groupby("sample").cumcount() if scheme == "cpcv" else 0
    base = samples().set_index("sample").loc[tested["sample"], ["start", "end", "y", "r"]].reset_index(drop=True)
    frame = pd.concat([tested, base], axis=1)
    return frame.assign(p=rng.uniform(0.4, 0.7, len(frame)), taken=rng.random(len(frame)) < 0.5, size=1.0)


def progress(done: int = 3, expected: int = 7, live: bool = True) -> Any:
    rows = pd.DataFrame([dict(fold=k, start=START + 365 * k * DAY, end=START + 365 * (k + 1) * DAY, samples=3_000, train=12_000 + 100 * k, validation=900, calibration=1_800, test=3_000, auc=0.55 + 0.004 * k, brier=0.2401) for k in range(1, done + 1)])
    share = np.linspace(0, 0.6, 25)
    curve = pd.DataFrame(dict(fold=done + 1, share=share, loss=0.69 - 0.02 * np.sqrt(share), of=np.where(share < 0.3, "q_0.1", "q_0.9"))) if live else pd.DataFrame(columns=["fold", "share", "loss", "of"])
    return SimpleNamespace(state="running", note="fold 4", share=0.45, folds=rows, live=curve, expected=expected)


def explanation() -> dict[str, pd.DataFrame]:
    """Tables of an explanation: two columns, of which one matters in every fold."""
    cells = [(x, y) for x in range(3) for y in range(3)]
    importance = pd.DataFrame(dict(column=["sma(9)", "rsi(14)"], importance=[0.004, 0.001], low=[0.002, -0.001], high=[0.006, 0.003], share=[0.006, 0.001], loss="log loss"))
    dependence = pd.DataFrame([dict(column=name, value=value, prediction=0.5 + 0.01 * value, low=0.45, high=0.6) for name in ("sma(9)", "rsi(14)") for value in (0.0, 1.0, 2.0)])
    boundary = pd.DataFrame([dict(first="sma(9)", second="rsi(14)", x=x, y=y, x0=x - 0.5, x1=x + 0.5, y0=y - 0.5, y1=y + 0.5, prediction=0.5 + 0.01 * (x - y)) for x, y in cells])
    reported = pd.DataFrame({"sample": [0, 1], "start": [START, START + DAY], "instrument": "EURUSD", "y": [0.0, 1.0], "score": [0.3, 0.1], "base": 0.2, "prediction": [0.57, 0.52], "sma(9)": [0.2, -0.05], "rsi(14)": [-0.1, -0.05], "value sma(9)": [1.1, 1.2], "value rsi(14)": [40.0, 60.0]})
    return dict(importance=importance, dependence=dependence, boundary=boundary, contributions=reported)
