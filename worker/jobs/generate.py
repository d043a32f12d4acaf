"""Generation of synthetic bars, seeded and marked as synthetic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.market import content_version, inspect, instrument
from domain.market.timeframe import Timeframe
from domain.params import build
from domain.venues.synthetic import MODELS, generate
from worker.jobs.base import Commit, Work, job
from worker.jobs.save_dataset import save_dataset

TITLES = {"gbm": "Synthetic, GBM", "regimes": "Synthetic, regimes"}


@job("generate", limit=600)
def generate_bars(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: model, params, instrument, timeframe, start, end (ISO 8601), seed."""
    instrument_, timeframe = instrument(spec["instrument"], work.settings.instruments_file), Timeframe.named(spec["timeframe"])
    work.stage("Generate")
    model = build(MODELS[spec["model"]], spec["params"])
    start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
    bars = generate(model, instrument_, timeframe, start, end, spec["seed"])
    work.stage("Check")
    work.progress(0.6)
    report = inspect(bars, instrument_, timeframe, "UTC", end)
    work.stage("Store")
    work.progress(0.8)
    version = content_version(bars, instrument_.name, timeframe, "bid")
    origin = {key: spec[key] for key in ("model", "params", "seed", "start", "end")}
    return save_dataset(
        work, bars, version, dict(frame=work.store.frames.put(bars), ledger=None), report,
        instrument=instrument_.name, timeframe=str(timeframe), side="bid", source=TITLES.get(spec["model"], spec["model"]),
        verdict="synthetic", provenance=origin, synthetic=True,
    )  # fmt: skip
