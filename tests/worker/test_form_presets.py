"""Presets of the backtest form: saved, chosen, renamed, deleted, and all of it in the trail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from worker import actors
from worker.desk import BacktestRequest, Refused

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def request_(desk, system) -> BacktestRequest:
    job = desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3).job
    actors.run(job.id)
    return BacktestRequest("breakout", dict(lookback=31), [desk.jobs.get(job.id).result["dataset"]], "H4", START, END, dict(costs=dict(unit="pips", slippage=0.4), sizing=dict(kind="fixed_lots", value=2.0)))


def test_a_preset_keeps_every_setting_but_data_and_period_under_its_name_and_the_trail_tells(desk, request_):
    preset = desk.form_presets.save(" London, tight ", request_)
    assert preset.name == "London, tight" and desk.form_presets.names() == ["London, tight"]
    settings = desk.form_presets.find("London, tight").settings
    assert settings["params"]["lookback"] == 31 and settings["timeframe"] == "H4" and settings["sizing"]["value"] == 2.0 and settings["costs"]["slippage"] == 0.4
    assert not {"datasets", "start", "end", "rates"} & set(settings)
    again = BacktestRequest(settings["strategy"], settings["params"], request_.datasets, settings["timeframe"], START, END, {name: settings[name] for name in ("account", "costs", "execution", "sizing", "limits")})
    assert desk.backtests.spec(again) == desk.backtests.spec(request_), "the same question"
    desk.form_presets.save("Asia", request_)
    with pytest.raises(Refused, match="'Asia' already"):
        desk.form_presets.rename("London, tight", "Asia")
    assert desk.form_presets.rename("London, tight", "London").settings == settings and desk.form_presets.names() == ["Asia", "London"]
    desk.form_presets.save("London", request_)
    desk.form_presets.delete("Asia")
    assert desk.form_presets.names() == ["London"] and desk.form_presets.find("Asia") is None
    assert sorted(kinds(desk)) == ["form_preset_deleted", "form_preset_renamed", "form_preset_replaced", "form_preset_saved", "form_preset_saved"]


def kinds(desk) -> list[str]:
    with desk.data._context.store.read() as unit:
        return [kind for (kind,) in unit.connection.execute(sa.text("SELECT kind FROM audit_events WHERE kind LIKE 'form_preset%'"))]


def test_what_is_no_preset_is_refused_with_a_sentence(desk, request_):
    for name in ("", "  ", "x" * 65, "a\nb"):
        with pytest.raises(Refused, match="give it one of 1 to 64 letters"):
            desk.form_presets.save(name, request_)
    for act in (lambda: desk.form_presets.rename("none", "other"), lambda: desk.form_presets.delete("none")):
        with pytest.raises(Refused, match="there is no preset none"):
            act()


def test_a_preset_that_was_altered_in_the_database_is_refused(desk, request_):
    desk.form_presets.save("mine", request_)
    with desk.data._context.store.unit() as unit:
        unit.connection.execute(sa.text("UPDATE form_presets SET settings = '{}' WHERE name = 'mine'"))
    with pytest.raises(Refused, match="mine"):
        desk.form_presets.find("mine")
