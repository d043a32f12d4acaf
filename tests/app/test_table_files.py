"""Every table and chart of a page can be taken along, and none past the audit trail and its checkpoint."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import altair as alt
import pandas as pd
import streamlit
from streamlit.testing.v1 import AppTest

from app.kit.draw import charted
from app.kit.style import STYLE
from app.kit.table_file import content, titled, values

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("altair_chart", "vega_lite_chart", "line_chart", "area_chart", "bar_chart", "scatter_chart", "plotly_chart", "bokeh_chart", "pyplot", "graphviz_chart", "pydeck_chart", "map", "image", "echarts_chart", "mermaid_chart")
DRAWN = {**{name: set() for name in PICTURES}, "altair_chart": {"app/kit/draw.py"}, "dataframe": {"app/kit/widgets.py"}, "table": set(), "download_button": {"app/kit/widgets.py"}, "data_editor": {"app/compliance/editor.py", "app/scanner/form.py"}}     # Streamlit's own -> where it is called


def tables() -> None:
    import pandas as pd

    from app.kit.widgets import first_rows, table

    frame = pd.DataFrame(dict(net=[-1.5], note=["=1+1"]))
    for _ in range(2):
        table(frame, dict(net="Net, %", note="Note"), "Costs of a lot")
    table(frame.head(0), dict(net="Net, %"), "Nothing yet")
    first_rows(frame, "The first rows", 60)


def a_chart() -> None:
    import altair as alt
    import pandas as pd

    from app.kit.draw import draw_chart

    draw_chart(alt.Chart(pd.DataFrame(dict(ts=[1], net=[2.0]))).mark_line().encode(x="ts", y="net"), alt="Net over time")


def test_a_chart_has_a_button_for_its_values():
    page = AppTest.from_function(a_chart).run()
    (button,) = page.get("download_button")
    assert not page.exception and (button.proto.label, button.proto.deferred_file_id != "") == ("Download CSV: Net over time", True)


def test_the_file_of_a_chart_has_the_values_of_all_its_layers_once_and_is_recorded():
    recorded = []
    desk = SimpleNamespace(trail=SimpleNamespace(table=lambda frame, name: recorded.append((name, len(frame))) or b"recorded"))
    curve, mark = (alt.Chart(pd.DataFrame(dict(ts=[1, 2], net=[2.0, y]))).mark_line() for y in (3.0, 4.0))
    facets = alt.Chart(pd.DataFrame(dict(ts=[1], net=[9.0], of=["EURUSD"]))).mark_line().facet("of:N")
    below = alt.Chart(curve.data[["net"]]).mark_area()
    both = charted(alt.vconcat(alt.layer(curve, mark), curve, facets, below))
    assert both[["net", "part"]].to_numpy().tolist() == [[9, 1], [2, 2], [3, 2], [2, 3], [4, 3]]
    assert values(None, charted(alt.layer(curve, curve)), "net.csv") == b"ts,net\n1,2.0\n2,3.0\n"
    assert values(desk, both, "net.csv") == b"recorded" and recorded == [("net.csv", 5)]


def test_each_table_with_rows_has_a_button_that_is_named_after_it():
    page = AppTest.from_function(tables).run()
    buttons = [button.proto for button in page.get("download_button")]
    assert not page.exception and [button.label for button in buttons] == ["Download CSV: Costs of a lot"] * 2 + ["Download CSV: The first rows"]
    assert len({button.id for button in buttons}) == 3 and all(button.deferred_file_id and button.ignore_rerun and not button.url for button in buttons), "nothing is written until it is clicked"


def test_the_file_has_the_titles_and_numbers_of_the_table_is_safe_and_recorded():
    recorded = []
    desk = SimpleNamespace(trail=SimpleNamespace(table=lambda frame, name: recorded.append((name, len(frame))) or b"recorded"))
    frame = pd.DataFrame(dict(net=[-1.5], note=["=1+1"], kind=[["real", "old"]], curve=[[1.0, 2.5]], unseen=[7]))
    columns = dict(note="Note", net=dict(label="Net, %"), kind=dict(label=""), curve=dict(label=None), gone="Gone")
    assert content(None, frame, columns, "costs.csv") == b"Note,\"Net, %\",kind,curve\n'=1+1,-1.5,\"real, old\",1.0 2.5\n"
    assert content(desk, frame, columns, "costs.csv") == b"recorded" and recorded == [("costs.csv", 1)]
    assert list(titled(frame, dict(net="Value", unseen="Value"))) == ["Value, net", "Value, unseen"]


def test_no_page_draws_a_table_or_a_download_of_its_own():
    for path in [*(ROOT / "app").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DRAWN:
                of_streamlit = isinstance(node.func.value, ast.Name) and node.func.value.id == "st"
                assert not of_streamlit or name in DRAWN[node.func.attr], f"{name}:{node.lineno} calls st.{node.func.attr}; use app.kit.widgets"


def test_the_files_that_the_browser_makes_of_a_table_or_chart_are_not_offered():
    hidden = ["Download as CSV", "Download as PNG", "Copy Vega-Lite spec"]
    assert f"""[data-testid="stElementToolbarButton"]:has({', '.join(f'[aria-label^="{label}"]' for label in hidden)}) {{ display: none; }}""" in STYLE


def test_these_are_all_the_files_that_streamlit_offers_of_a_table_or_chart():
    """A version of Streamlit with another one must be looked at."""
    scripts = (Path(streamlit.__file__).parent / "static" / "static" / "js").glob("*.js")
    labels = {label for script in scripts if script.name.startswith(("ArrowVegaLiteChart", "DataFrame", "Metric")) for label in re.findall(r"label:`((?:Download|Export)[^`]*)`", script.read_text())}
    assert labels == {"Download as CSV", "Download as PNG"}
