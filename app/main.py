"""Entry point: build the desk once, find the pages, draw the chosen one."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

import pages  # noqa: E402
from app.desk import here  # noqa: E402
from app.kit import theme  # noqa: E402, F401  registers the theme of charts
from app.kit.page import SECTIONS, all_pages  # noqa: E402
from app.kit.sharing import share  # noqa: E402
from app.kit.signed_out import signed_out  # noqa: E402
from app.kit.status import status  # noqa: E402
from app.kit.style import style  # noqa: E402
from app.kit.widgets import attempt  # noqa: E402
from app.kit.window import watch  # noqa: E402
from worker.desk import begin_request  # noqa: E402

STATIC = ROOT / "app" / "static"

st.set_page_config("Tidemark", str(STATIC / "icon.svg"), layout="wide", initial_sidebar_state=208)
st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "icon.svg"), size="medium")

begin_request("page")
style()
at = here()
if at is None:
    signed_out()
    st.stop()
st.session_state["desk"] = at       # of the files of tables
menu: dict[str, list] = {section: [] for section in SECTIONS}
for module in all_pages(pages):
    name, page = module.__name__.split(".")[-1], module.PAGE
    entry = st.Page(partial(module.render, at), title=page.title, icon=f":material/{page.icon}:", url_path=name, default=name == "overview")
    menu[page.section].append(entry)
    st.session_state.setdefault("pages", {})[name] = entry
chosen = st.navigation({section: entries for section, entries in menu.items() if entries}, expanded=True)
st.session_state["page"] = chosen.url_path or "overview"
with st.sidebar:
    status(at)
attempt(chosen.run)        # what is refused while a page draws, such as a row that was altered, is a sentence on it
with st.sidebar:
    share()     # after the page, which may have changed the address
    watch()
