"""Synthetic files of external data for the three months from January 2024, and their import through the desk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from worker import actors

DAYS = pd.bdate_range("2023-09-01", "2024-04-10")
WORDS = ("Stocks plunge", "Dollar rallies", "Inflation eases", "Unemployment falls", "Recession fears grow")


def series(path: Path, seed: int = 1, days: pd.DatetimeIndex = DAYS) -> Path:
    """A random walk by date, as FRED writes it; every seventeenth day has no value."""
    values = 20 + np.cumsum(np.random.default_rng(seed).normal(0, 1, len(days)))
    texts = ["." if k % 17 == 5 else f"{value:.2f}" for k, value in enumerate(values)]
    path.write_text("observation_date,VALUE\n" + "".join(f"{day:%Y-%m-%d},{text}\n" for day, text in zip(days, texts, strict=True)))
    return path


def headlines(path: Path, zone: str = "Z") -> Path:
    at = pd.date_range("2024-01-02T06:10", "2024-03-28", freq="11h")
    path.write_text("published,title\n" + "".join(f"{instant:%Y-%m-%dT%H:%M:%S}{zone},{WORDS[k % len(WORDS)]}\n" for k, instant in enumerate(at)))
    return path


def calendar(path: Path) -> Path:
    """US news on every Wednesday, of high and of medium impact in turns; Japanese on every Tuesday."""
    weeks = pd.date_range("2024-01-03T13:30", "2024-03-28", freq="7D")
    us = [f"{week:%Y-%m-%dT%H:%M:%S},Prices,United States,{('high', 'medium')[k % 2]}\n" for k, week in enumerate(weeks)]
    path.write_text("datetime_utc,event,country,impact\n" + "".join(us) + "".join(f"{week - pd.Timedelta('1D'):%Y-%m-%dT%H:%M:%S},Wages,Japan,high\n" for week in weeks))
    return path


def imported(desk, path: Path, name: str = "", **how):
    """The import of a file, done here."""
    job = desk.outside.import_(desk.outside.stage_path(str(path)), name=name, **how).job
    actors.run(job.id)
    job = desk.jobs.get(job.id)
    assert job.state == "done", job.error
    return desk.outside.get(job.result["outside"])
