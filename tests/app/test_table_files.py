"""Every table of a page can be taken along, and none past the audit trail and its checkpoint."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from streamlit.testing.v1 import AppTest

from app.kit.style import STYLE
from app.kit.table_file import content, titled

ROOT = Path(__file__).resolve().parents[2]
DRAWN = {"dataframe": {"app/kit/widgets.py"}, "table": set(), "download_button": {"app/kit/widgets.py"}, "data_editor": {"app/compliance/editor.py", "app/scanner/form.py"}}     # Streamlit's own -> where it is called


def tables() -> None:
    import pandas as pd

    from app.kit.widgets import first_rows, table

    frame = pd.DataFrame(dict(net=[-1.5], note=["=1+1"]))
    for _ in range(2):
        table(frame, dict(net="Net, %", note="Note"), "Costs of a lot")
    table(frame.head(0), dict(net="Net, %"), "Nothing yet")
    first_rows(frame, "The first rows", 60)


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


def test_the_file_that_the_browser_makes_of_a_table_is_not_offered():
    assert '[data-testid="stElementToolbarButton"]:has([aria-label^="Download as CSV"]) { display: none; }' in STYLE
