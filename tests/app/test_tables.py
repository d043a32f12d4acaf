"""Numbers in tables: a true minus to read, numbers to sort by and to take along."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.kit import charts, draw
from app.kit.tables import event_columns, run_columns, with_minus

COLUMNS = dict(
    name=st.column_config.TextColumn("What"), net=st.column_config.NumberColumn("Net, %", format="%+.1f"), money=st.column_config.NumberColumn("USD", format="localized", step=1), bar=st.column_config.NumberColumn("Bar"),
    kind=st.column_config.MultiselectColumn("Bars", options=["synthetic"]),
)  # fmt: skip


def frame(**more) -> pd.DataFrame:
    return pd.DataFrame(dict(name=["a-b", "c"], net=[-3.14, 2.0], money=[-1234.6, 0.2], bar=[7, 1500], kind=[["synthetic"], []], unseen=[1, 2]) | more)


def test_negative_numbers_of_a_table_have_a_true_minus_and_stay_numbers():
    shown, columns = with_minus(frame(), COLUMNS)
    first, second = [line.split("|") for line in shown.to_string(delimiter="|").splitlines()[1:]]
    assert first == ["0", "a-b", "\u22123.1", "\u22121,235", "7", ""] and second[1:] == ["c", "+2.0", "0", "1500", ""]
    pd.testing.assert_frame_equal(shown.data, frame()[list(COLUMNS)])
    assert [columns[name]["type_config"]["format"] for name in ("net", "money")] == [None, None], "Streamlit's own format would go before the text"
    assert columns["net"]["label"] == "Net, %" and COLUMNS["net"]["type_config"]["format"] == "%+.1f"


def test_a_table_without_negative_numbers_is_left_to_streamlit():
    given = frame(net=[3.14, 0.0], money=[None, None])
    shown, columns = with_minus(given, COLUMNS)
    assert shown is given and columns == COLUMNS


def test_an_unknown_number_beside_a_negative_one_is_no_text():
    shown, _ = with_minus(frame(net=[-1.0, None], money=[None, None]), COLUMNS)
    assert [line.split("|")[2:4] for line in shown.to_string(delimiter="|").splitlines()[1:]] == [["\u22121.0", ""], ["", ""]] and shown.data["net"].dtype == float


def test_the_table_of_runs_is_among_them():
    runs = pd.DataFrame(dict(run=["r"], name=["n"], kind=[[]], curve=[[1.0, 2.0]], net=[-2.5], drawdown=[4.0], trades=[1234], factor=[0.5], created=["2024-01-01 00:00"]))
    assert "\u22122.5|4.0|1,234|0.50" in with_minus(runs, run_columns())[0].to_string(delimiter="|")


def test_a_column_may_have_a_title_alone():
    shown, columns = with_minus(frame(), COLUMNS | dict(unseen="Not named", name=st.column_config.Column("What", width=100)))
    assert columns["unseen"] == "Not named" and "a-b" in shown.to_string() and "\u22123.1" in shown.to_string()
    plain = pd.DataFrame(dict(setting=["app.port"], value=["8501"]))
    assert with_minus(plain, dict(setting="Setting", value="Value"))[0] is plain


def test_a_table_of_very_many_cells_is_left_to_streamlit():
    long = pd.concat([frame()] * 10_000, ignore_index=True)
    assert with_minus(long, COLUMNS)[0] is long


def test_a_column_without_a_format_has_no_more_decimals_than_its_numbers():
    shown, _ = with_minus(frame(stop=[3.0, -2.25]), COLUMNS | dict(stop=st.column_config.Column("Stop, ATR")))
    assert [line.split("|")[-1] for line in shown.to_string(delimiter="|").splitlines()[1:]] == ["3", "\u22122.25"]


def test_what_the_browser_may_export_from_a_table_is_no_formula():
    """Streamlit's own export quotes texts and does not disarm them, so the page is given disarmed ones."""

    def page() -> None:
        import pandas as pd

        from app.kit.widgets import table

        frame = pd.DataFrame(dict(name=["=HYPERLINK(1)", "plain", " @x"], result=["+1.25 R", "−3 %", "-4"], net=[-1.5, 2.0, 0.0]))
        table(frame, {"name": "Name", "result": "Result", "net": "Net"}, "Rows")

    shown = AppTest.from_function(page).run().dataframe[0].value
    assert shown["name"].tolist() == ["'=HYPERLINK(1)", "plain", "' @x"]
    assert shown["result"].tolist() == ["+1.25 R", "−3 %", "-4"] and shown["net"].tolist() == [-1.5, 2.0, 0.0]


def test_the_number_of_an_event_has_room_for_all_its_digits():
    widths = [event_columns([SimpleNamespace(seq=seq)])["seq"]["width"] for seq in (7, 999_999, 1_000_015, 10_000_000)]
    assert widths == [52, 57, 71, 78] and event_columns([])["seq"]["width"] == 52


def test_a_column_of_a_table_is_no_narrower_than_its_title():
    def page() -> None:
        import pandas as pd
        import streamlit as st

        from app.kit.widgets import table

        frame = pd.DataFrame(dict(holds=["3 of 4"], net=[-1.5], wide=["x"], free=["y"]))
        text = st.column_config.TextColumn
        table(frame, {"holds": text("Sign-consistent years", width=62), "net": st.column_config.NumberColumn("Net PnL, USD", format="%.1f", width=50), "wide": text("Note", width=90), "free": "Not given"}, "Rows")

    columns = json.loads(AppTest.from_function(page).run().dataframe[0].proto.columns)
    widths = {name: column.get("width") for name, column in columns.items()}
    assert widths["holds"] > 124 and widths["net"] > 80 and widths["wide"] == 90 and widths["free"] is None


def test_no_axis_of_amounts_writes_a_letter_after_zero():
    """Vega gives every label of such an axis the letter of the largest: 0k beside 1k. The options of app.kit.charts.thousands do not."""
    axis = charts.thousands(tickCount=3)
    assert axis["labelExpr"].startswith("abs(datum.value) < 1e-9 ? '0'") and axis["tickCount"] == 3
    places = [file.name for file in Path(charts.__file__).parents[1].rglob("*.py") if re.search(r"~s['\"]", file.read_text())]
    assert places == ["charts.py"], "axes of amounts take thousands()"


def test_a_chart_is_the_same_whether_it_is_checked_or_not(monkeypatch):
    def page() -> None:
        import altair as alt
        import pandas as pd

        from app.kit.draw import draw_chart

        line = alt.Chart(pd.DataFrame(dict(x=[1, 2], y=[3, 4]))).mark_line().encode(x="x:Q", y="y:Q")
        draw_chart(alt.layer(line, line.mark_point()), "Two points", key="points")

    specs = []
    for checked in (True, False):
        monkeypatch.setattr(draw, "CHECKED", checked)
        specs.append(re.sub(r"view_\d+", "", AppTest.from_function(page).run().get("vega_lite_chart")[0].proto.spec))
    assert specs[0] == specs[1] and "layer" in specs[0]
