"""Every example file imports without a question, and is clean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.worker.test_import_sides import imported
from worker.actors import run

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def test_each_example_file_imports_without_a_question(desk, system):
    names = desk.data.example_files()
    for key, facts in (("bars_m5", ("EURUSD", "M5", 5_760)), ("bars_h1", ("GBPUSD", "H1", 3_120))):
        staged = desk.data.stage_upload(names[key][0], desk.data.download_example(key))
        dataset = imported(desk, staged, staged.recognised.instrument, "")
        assert (dataset.instrument, dataset.timeframe, dataset.bars, dataset.side, dataset.verdict) == (*facts, "bid", "clean"), dataset
        assert dataset.spread is not None and 0.00008 <= dataset.spread <= 0.00012
    signals = desk.signal_files.stage(names["signals"][0], desk.data.download_example("signals"))
    assert desk.signal_files.counted(signals.plain, ["EURUSD"], datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)) == (signals.rows, signals.rows)
    job = desk.histories.import_(desk.histories.stage_upload(names["trades"][0], desk.data.download_example("trades"))).job
    run(job.id)
    history = desk.histories.get(desk.jobs.get(job.id).result["history"])
    assert (history.currency, history.initial) == ("USD", 10_000.0) and history.trades > 50


def test_the_file_of_a_check_is_staged_again_for_its_address_until_it_is_discarded(desk):
    name = desk.data.example_files()["bars_h1"][0]
    staged = desk.data.stage_upload(name, desk.data.download_example("bars_h1"))
    spec = desk.data.inspect(staged, "GBPUSD", "").job.spec
    again = desk.data.staged_again(spec)
    assert again is not None and (again.file, again.name, again.size, again.recognised.format) == (staged.file, staged.name, staged.size, staged.recognised.format)
    desk.data.discard(staged)
    assert desk.data.staged_again(spec) is None
