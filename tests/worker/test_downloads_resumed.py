"""A download of each vendor, cut after each page and resumed, stores the same bytes as one that was not cut.

By default after one page of each vendor; ``TIDEMARK_CASES`` takes more of them. Yahoo is in ``test_downloads``, cut at each page.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pandas as pd
import pytest

from domain.venues import metatrader
from tests.conformance.source_dukascopy import DukascopyFX
from tests.conformance.source_metatrader import MetaTraderFX
from tests.conformance.source_oanda import OandaYen
from tests.conformance.source_rig import HOUR, NOON, Skipped, SourceRig, random_bars
from worker.actors import WorkerContext, run
from worker.answers import Answers
from worker.desk import Desk
from worker.jobs import download
from worker.jobs.base import ShuttingDown
from worker.store.clock import DatabaseClock

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
CASES = int(os.environ.get("TIDEMARK_CASES", "1"))


class DukascopyWhole(DukascopyFX):
    """Without an hour that is empty: a page with a hole is asked for again, in case it has been filled."""

    @cached_property
    def bars(self) -> pd.DataFrame:
        return random_bars(days=1, volume=False).assign(volume=4.0)[["ts", "open", "high", "low", "close", "volume", "spread"]]


class MetaTraderYen(MetaTraderFX):
    """More than one page."""

    instrument, timeframe, point, width = "USDJPY", "M5", 0.001, 0.013
    at = NOON + HOUR // 30


def moment(ns: int) -> datetime:
    return pd.Timestamp(ns, tz="UTC").to_pydatetime()


@pytest.mark.parametrize("kind_of_rig", [DukascopyWhole, MetaTraderYen, OandaYen], ids=lambda rig: rig.vendor)
def test_a_download_of_each_vendor_goes_on_where_it_was_cut(kind_of_rig, system, store, sent, monkeypatch):
    rig: SourceRig = kind_of_rig()
    monkeypatch.setattr(metatrader, "PAGE", 1_000)
    began = datetime.now(UTC)
    monkeypatch.setattr(DatabaseClock, "now", lambda self, connection: moment(rig.at) + (datetime.now(UTC) - began))
    system.settings = replace(system.settings, vendors=dict(rig.environment))
    desk, span, double = Desk(store, system.settings, send=sent), rig.request().span, rig.double()
    put, left = Answers.put, [0]

    def put_and_leave(self: Answers, key: str, page: Any) -> None:
        put(self, key, page)
        left[0] -= 1
        if left[0] == 0:
            for work in WorkerContext.running:
                work.stop(ShuttingDown())

    monkeypatch.setattr(Answers, "put", put_and_leave)

    def done(job: Any) -> Any:
        run(job.id)
        return desk.jobs.get(job.id)

    def submitted() -> Any:
        return desk.downloads.submit(rig.vendor, rig.instrument, rig.timeframe, moment(span.start), moment(span.end)).job

    with double.serve() as address:
        monkeypatch.setattr(download, "connection_to", lambda vendor, environment, check, notice: rig.connection(address, Skipped().clock, check))
        whole = done(submitted())
        assert whole.state == "done", whole.error
        name = desk.data.get(whole.result["dataset"]).frame
        expected, pages = bytes_of(desk, name), whole.result["pages"]
        for cut in range(1, min(pages, CASES + 1)):
            desk.data.delete(whole.result["dataset"])
            shutil.rmtree(desk.settings.home / "answers")
            left[0] = cut
            job = done(submitted())
            assert job.state == "queued", job.error
            whole = done(job)
            assert (whole.state, whole.result["cached"], whole.result["pages"]) == ("done", cut, pages - cut)
            assert bytes_of(desk, name) == expected and whole.result["new"]
    assert pages > 1


def bytes_of(desk: Desk, frame: str) -> bytes:
    return next(desk.settings.home.glob(f"frames/*/{frame}.parquet")).read_bytes()
