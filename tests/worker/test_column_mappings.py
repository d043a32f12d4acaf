"""Files that no reader recognises are imported by a column mapping: kept under a name, offered again, refused where it does not fit."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.domain.market.formats import put
from tests.worker.test_import_sides import imported
from tests.worker.test_terminal_import import at as at
from worker.cli import app

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
HEADER = "# export\nDatum;Uhrzeit;Erster;Hoch;Tief;Letzter;Umsatz;Spanne\n"
COLUMNS = {"time": "Datum", "time_of_day": "Uhrzeit", "open": "Erster", "high": "Hoch", "low": 5, "close": "Letzter", "volume": "Umsatz", "spread": "Spanne"}
MAPPING = dict(separator=";", decimal=",", header_lines=2, columns=COLUMNS, time_format="%d %b %y %H:%M", clock="Europe/Berlin", side="mid", spread_unit="pips")
DIRTY = "11 Jan 24;00:00;1,1;1,2;1,3;1,1;1;1,2\nnot a row\n11 Jan 24;01:00;1.1000;1,1002;1,0998;1,1001;1;1,2\n"


def text(days: int = 2) -> str:
    return HEADER + "".join(f"{9 + at // 24} Jan 24;{at % 24:02d}:00;1,10000;1,10020;1,09980;1,10010;7;1,2\n" for at in range(24 * days))


def test_a_mapped_file_passes_the_checks_of_every_file_and_keeps_its_mapping(desk, system, tmp_path):
    path = put(tmp_path, "EURUSD_broker.txt", text() + DIRTY)
    with pytest.raises(BadRequest, match="Known formats"):
        desk.data.stage_path(str(path))
    staged = desk.data.stage_path(str(path), unmapped=True)
    with pytest.raises(BadRequest, match="Choose its columns first"):
        desk.data.import_(staged, "EURUSD", "")
    assert desk.mappings.guess(staged)["columns"] == {"time": "Datum", "time_of_day": "Uhrzeit", "high": "Hoch", "low": "Tief", "volume": "Umsatz", "spread": "Spanne"}
    assert list(desk.mappings.preview(staged, ";", 2).columns)[:2] == ["1  Datum", "2  Uhrzeit"]
    mapped = desk.mappings.apply(staged, MAPPING)
    assert "is not clean" in imported(desk, mapped, "EURUSD", "H1")
    dataset = imported(desk, mapped, "EURUSD", "H1", repair=True)
    bars = desk.data.bars(dataset.id)
    assert str(bars["ts"].iloc[0]) == "2024-01-08 23:00:00+00:00" and (dataset.side, dataset.clock) == ("mid", "Europe/Berlin")
    assert bars["close"].iloc[0] == 1.1001 and bars["volume"].iloc[0] == 7 and round(dataset.spread, 9) == 0.00012
    assert dataset.provenance["mapping"]["columns"] == COLUMNS and dataset.verdict == "repaired"
    malformed = next(finding for finding in dataset.quality["findings"] if finding["key"] == "malformed")
    assert malformed["count"] == 2, "the line that is no row, and the point where decimals are commas"


def test_a_mapping_is_kept_offered_again_and_every_change_is_in_the_trail(desk, tmp_path):
    staged = desk.data.stage_path(str(put(tmp_path, "a.txt", text())), unmapped=True)
    mapped = desk.mappings.apply(staged, MAPPING)
    desk.mappings.save(" Berlin ", mapped.mapping)
    other = desk.data.stage_path(str(put(tmp_path, "b.txt", text(1))), unmapped=True)
    strange = desk.data.stage_path(str(put(tmp_path, "c.txt", text(1).replace("Spanne", "Spread"))), unmapped=True)
    assert desk.mappings.offered(other) == ["Berlin"] and desk.mappings.offered(strange) == []
    with pytest.raises(BadRequest, match="no column 'Spanne' for the spread; its columns are Datum, Uhrzeit"):
        desk.mappings.apply(strange, "Berlin")
    desk.mappings.save("Berlin", {**mapped.mapping, "side": "bid"})
    desk.mappings.delete("Berlin")
    with desk.data._context.store.read() as unit:
        kinds = [kind for (kind,) in unit.connection.execute(sa.text("SELECT kind FROM audit_events WHERE kind LIKE 'column_mapping%' ORDER BY seq"))]
    assert desk.mappings.list() == [] and kinds == ["column_mapping_saved", "column_mapping_replaced", "column_mapping_deleted"]
    with pytest.raises(BadRequest, match="there is no column mapping Berlin"):
        desk.mappings.delete("Berlin")


WRONG = [
    (dict(separator=","), "a comma separates the columns and the decimals"),
    (dict(separator="|"), "has no column 'Datum' for the time; its columns are Datum;Uhrzeit"),
    (dict(decimal="."), "in the column of the open is no number with a decimal point; choose another column or another decimal sign"),
    (dict(columns={**COLUMNS, "open": "Datum"}), "the column 'Datum' is chosen for time, open"),
    (dict(columns={**COLUMNS, "open": 40}), "has 8 columns, and the mapping takes its open from column 40"),
    (dict(columns={key: COLUMNS[key] for key in ("time", "time_of_day", "open")}), "no column is chosen for high, low, close"),
    (dict(columns={**COLUMNS, "bid": 1}), "bid and ask make the bars themselves"),
    (dict(time_format="%Y-%m-%d"), "'9 Jan 24 00:00' is not a time written as %Y-%m-%d"),
    (dict(time_format="ISO"), "the time format is 'ISO'"),
    (dict(time_format="", columns={**COLUMNS, "time": "Umsatz", "volume": "Datum"}), "'7 00:00' in the time column is no time of a usual format"),
    (dict(clock="Europe/Pargue"), "no clock named 'Europe/Pargue'"),
    (dict(header_lines=49), "has no rows under its first 49 lines"),
    (dict(spread_unit="ticks"), "the unit of the spread is 'ticks'"),
    (dict(colour="red"), "no key of the mapping named 'colour'"),
]  # fmt: skip


def test_a_wrong_mapping_is_a_sentence_and_the_file_stays(desk, tmp_path):
    staged = desk.data.stage_path(str(put(tmp_path, "a.txt", text(1))), unmapped=True)
    for change, sentence in WRONG:
        with pytest.raises(BadRequest, match=sentence):
            desk.mappings.apply(staged, {**MAPPING, **change})
    assert desk.mappings.apply(staged, MAPPING).recognised.timeframe == "H1"


def test_bid_and_ask_bars_and_ticks_are_mapped_too(desk, system, tmp_path):
    rows = "".join(f"{1_704_700_800 + 60 * at}|1.1|1.2|1.0|1.1|1.10002|1.20002|1.00002|1.10002\n" for at in range(60))
    bars = desk.data.stage_path(str(put(tmp_path, "EURUSD_x.txt", rows)), unmapped=True)
    names = ("time", "open", "high", "low", "close", "ask_open", "ask_high", "ask_low", "ask_close")
    mapped = desk.mappings.apply(bars, dict(separator="|", header_lines=0, columns={name: at for at, name in enumerate(names, 1)}))
    assert (mapped.recognised.side, mapped.recognised.timeframe, mapped.recognised.clock) == ("bid", "M1", "UTC")
    assert round(imported(desk, mapped, "EURUSD", "", repair=True).spread, 9) == 0.00002
    ticks = desk.data.stage_path(str(put(tmp_path, "EURUSD_t.txt", "".join(f"2024-01-08 10:{at // 4:02d}:{at % 4 * 10:02d}.5|x|1.1|1.1001\n" for at in range(240)))), unmapped=True)
    quotes = desk.mappings.apply(ticks, dict(separator="|", header_lines=0, columns=dict(time=1, bid=3, ask=4), clock="UTC"))
    assert imported(desk, quotes, "EURUSD", "M5").bars == 12


def test_the_terminal_imports_by_a_file_or_a_name_and_names_the_mapping_that_fits(at, tmp_path):
    path, toml = put(tmp_path, "EURUSD_h.txt", text()), tmp_path / "m.toml"

    def output_of(*words: object) -> str:
        result = CliRunner().invoke(app, ["data", *map(str, words)])
        return result.stdout if result.exception is None else str(result.exception)

    staged = at.data.stage_path(str(path), unmapped=True)
    at.mappings.save("Berlin", at.mappings.apply(staged, MAPPING).mapping)
    assert "add --mapping 'Berlin'" in output_of("import", path)
    toml.write_text(output_of("mappings", "show", "Berlin"), encoding="utf-8")
    by_file, by_name = (json.loads(output_of("import", path, "--mapping", mapping, "--json")) for mapping in (toml, "Berlin"))
    assert by_file["version"] == by_name["version"] and by_file["clock"] == "Europe/Berlin"
    assert "Berlin" in output_of("mappings", "list") and "deleted" in output_of("mappings", "delete", "Berlin")
    assert "Or say which column is what: --mapping FILE.toml" in output_of("import", path)
