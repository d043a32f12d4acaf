"""Files stamped at bar close are imported as bars labelled by their open, with the evidence; and what is chosen goes before it."""

from __future__ import annotations

import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.domain.market.makers import M30, fx_bars, own_csv
from tests.worker.test_import_from import ended
from tests.worker.test_import_sides import imported
from tests.worker.test_terminal_bars import refused
from tests.worker.test_terminal_import import at as at
from tests.worker.test_terminal_import import output_of

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
BARS = fx_bars("2024-01-07", "2024-02-14", M30)


@pytest.fixture
def stamped(tmp_path):
    """Bars of M30, each at its close."""
    return own_csv(tmp_path / "EURUSD_M30.csv", BARS.assign(ts=BARS["ts"] + pd.Timedelta(minutes=30)))


def test_bars_stamped_at_their_close_are_stored_by_their_open_with_the_evidence(desk, system, stamped, tmp_path):
    staged = desk.data.stage_path(str(stamped))
    checked = ended(desk, desk.data.inspect(staged, "EURUSD", ""))
    assert checked.result["bar_time"] == "close" and "bar_time" not in checked.spec and checked.result["report"]["clock"] == "UTC"
    dataset = imported(desk, staged, "EURUSD", "")
    assert list(desk.data.bars(dataset.id)["ts"]) == list(BARS["ts"])
    [note] = dataset.provenance["notes"]
    assert note.startswith("in 5 of 5 weeks the last bar bears the time of the Friday close") and note in dataset.quality["notes"]
    newer = fx_bars("2024-02-13", "2024-02-16", M30)
    few = own_csv(tmp_path / "EURUSD_newer.csv", newer.assign(ts=newer["ts"] + pd.Timedelta(minutes=30)))
    done = ended(desk, desk.data.append(dataset.id, desk.data.stage_path(str(few)), "keep"))
    assert done.state == "done", done.error
    appended = desk.data.get(done.result["dataset"])
    assert appended.last_ts == newer["ts"].iloc[-1], "too few weeks to show it: as the series"
    assert appended.provenance["bar_time"] == "close" and "series are stamped at bar close" in appended.provenance["notes"][0]


def test_a_chosen_time_stamp_goes_before_what_the_weeks_show(desk, system, stamped, tmp_path):
    opens = own_csv(tmp_path / "EURUSD_opens.csv", BARS)
    for path, choice, minutes in ((stamped, "open", 30), (opens, "close", -30)):
        job = desk.data.import_(desk.data.stage_path(str(path)), "EURUSD", "M30", bar_time=choice, repair=True)
        assert job.job.spec["bar_time"] == choice
        done = ended(desk, job)
        assert done.state == "done", done.error
        dataset = desk.data.get(done.result["dataset"])
        within = desk.data.bars(dataset.id)["ts"]
        assert within.iloc[100] - BARS["ts"].iloc[100] == pd.Timedelta(minutes=minutes) and f"bars {choice}, as chosen" in dataset.provenance["notes"][0]
    with pytest.raises(BadRequest, match="give open or close"):
        desk.data.inspect(desk.data.stage_path(str(opens)), "EURUSD", "M30", bar_time="end")


def test_a_mapping_says_what_its_times_are_only_where_it_is_chosen(desk, opens_only):
    staged = desk.data.stage_path(str(opens_only), unmapped=True)
    columns = dict(time=1, open=2, high=3, low=4, close=5)
    plain, chosen = (desk.mappings.apply(staged, dict(columns=columns, **more)) for more in ({}, dict(bar_time="close")))
    assert "bar_time" not in plain.mapping and chosen.mapping["bar_time"] == "close"
    assert desk.data.inspect(chosen, "EURUSD", "").job.spec["bar_time"] == "close" and "bar_time" not in desk.data.inspect(plain, "EURUSD", "").job.spec


@pytest.fixture
def opens_only(tmp_path):
    return own_csv(tmp_path / "EURUSD_few.csv", BARS.head(50))


def test_the_terminal_has_the_choice_and_computes_on_no_bars_stamped_at_their_close(at, stamped):
    shown = output_of(stamped, "--check")
    assert "Note: in 5 of 5 weeks the last bar bears the time of the Friday close: the times are those at which bars close; each begins M30 earlier." in shown
    assert "as those at which bars open, as chosen" in output_of(stamped, "--check", "--bar-time", "open")
    sentence = refused("features", "compute", "--columns", "body", "--out", "f.csv", "--bars", stamped, "--instrument", "EURUSD")
    assert "its times are the ends of its bars; import it with: tidemark data import" in sentence
