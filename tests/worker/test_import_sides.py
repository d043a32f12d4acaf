"""Imports follow the file: its side, its asks in a second file, its long name, its server's clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import BadRequest
from tests.domain.market.formats import SAMPLES, put
from worker.actors import run

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
HEADER = "ts,open,high,low,close\n"


def hours(folder: Path, name: str, more: float = 0.0, days: int = 2) -> Path:
    rows = [
        f"2024-01-{8 + at // 24:02d}T{at % 24:02d}:00:00Z,{1.1 + more:.5f},{1.1002 + more:.5f},{1.0998 + more:.5f},{1.1001 + more:.5f}\n"
        for at in range(24 * days)
    ]
    return put(folder, name, HEADER + "".join(rows))


def imported(desk, staged, *args, **how):
    """The dataset, or the job's error as a sentence."""
    job = desk.data.import_(staged, *args, **how).job
    run(job.id)
    ended = desk.jobs.get(job.id)
    return desk.data.get(ended.result["dataset"]) if ended.state == "done" else str(ended.error)


def test_the_side_in_a_files_name_is_kept_or_refused(desk, system, tmp_path):
    middle = desk.data.stage_path(str(hours(tmp_path, "EURUSD_H1_mid.csv")))
    assert imported(desk, middle, "EURUSD", "H1", clock_key="UTC").side == "mid"
    assert (
        imported(
            desk, desk.data.stage_path(str(hours(tmp_path, "EURUSD_H1.csv"))), "EURUSD", "H1", clock_key="UTC"
        ).side
        == "bid"
    )
    asks = desk.data.stage_path(str(hours(tmp_path, "EURUSD_H1_ask.csv")))
    for side, sentence in (
        ("", "quotes the ask.* --ask ASK.csv"),
        ("bid", "quotes the ask, not bid"),
        ("ask", "quotes the ask"),
    ):
        with pytest.raises(BadRequest, match=sentence):
            desk.data.import_(asks, "EURUSD", "H1", side, clock_key="UTC")
    with pytest.raises(BadRequest, match="quotes the middle between bid and ask, not bid"):
        desk.data.inspect(middle, "EURUSD", "H1", "bid")


def test_a_file_of_bids_and_one_of_asks_become_bars_with_their_spread(desk, system, tmp_path):
    bids, asks = (
        desk.data.stage_path(str(hours(tmp_path, f"EURUSD_H1_{side}.csv", more)))
        for side, more in (("bid", 0.0), ("ask", 0.00017))
    )
    dataset = imported(desk, bids, "EURUSD", "H1", clock_key="UTC", ask=asks)
    assert (
        dataset.side == "bid"
        and dataset.spread == pytest.approx(0.00017)
        and dataset.provenance["ask"]["name"] == "EURUSD_H1_ask.csv"
    )
    assert any("mean of ask minus bid" in note for note in dataset.quality["notes"])
    alone = desk.data.import_(bids, "EURUSD", "H1", clock_key="UTC")
    assert alone.new and "ask" not in alone.job.spec, (
        "another question, and the one that was asked before there were asks"
    )
    with pytest.raises(BadRequest, match="give them the other way round"):
        desk.data.import_(asks, "EURUSD", "H1", clock_key="UTC", ask=bids)
    others = desk.data.stage_path(str(hours(tmp_path, "GBPUSD_H1_ask.csv")))
    with pytest.raises(
        BadRequest,
        match=r"holds bars of EURUSD and GBPUSD_H1_ask\.csv of GBPUSD; the bids and the asks must be of the same instrument",
    ):
        desk.data.import_(bids, "EURUSD", "H1", clock_key="UTC", ask=others)
    with pytest.raises(BadRequest, match="leave the side out"):
        desk.data.import_(bids, "EURUSD", "H1", "mid", clock_key="UTC", ask=asks)


def test_a_long_name_is_read_from_its_beginning_to_its_end(desk, system, tmp_path):
    staged = desk.data.stage_path(str(hours(tmp_path, f"EURUSD_mid_{'x' * 180}_H1.csv")))
    assert (staged.recognised.instrument, staged.recognised.side, staged.recognised.timeframe) == ("EURUSD", "mid", "H1")
    dated = next(sample for sample in SAMPLES if sample.name == "20240108_eurusd_minute_quote.csv")
    upload = desk.data.stage_upload(f"{'y' * 300}/{dated.name}", dated.text.encode())
    assert (upload.recognised.format, upload.recognised.instrument) == ("lean", "EURUSD")
    assert (
        desk.data.stage_upload(f"EURUSD_{'z' * 400}_ask.csv", hours(tmp_path, "b.csv").read_bytes()).recognised.side == "ask"
    )


def test_a_servers_clock_that_nothing_tells_is_requested(desk, system, tmp_path):
    sample = next(sample for sample in SAMPLES if sample.format == "mt4")
    staged = desk.data.stage_path(str(put(tmp_path, sample.name, sample.text)))
    assert (
        "times are those of the broker's server" in imported(desk, staged, "EURUSD", "H1")
        and desk.data.catalogue() == []
    )
    job = desk.data.inspect(staged, "EURUSD", "H1").job
    run(job.id)
    assert any("only assumed for this check" in note for note in desk.jobs.get(job.id).result["report"]["notes"])
    assert imported(desk, staged, "EURUSD", "H1", clock_key="mt5_us").clock == "mt5_us"
