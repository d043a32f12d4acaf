"""The component that draws the chart of a run. Its script is ours; it draws with TradingView Lightweight Charts, whose file the package
``lwcharts`` carries unchanged. Both are served as files by this server: the Content-Security-Policy allows no script inside a page."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

HERE = Path(__file__).parent
NAME, LIBRARY = "tidemark.price_chart", "lightweight.charts"       # the addresses of their files; chart_files/price_chart.js names the second
HTML = '<div class="chart"><p class="title"></p><div class="top"><p class="readout"></p><span class="unit"></span></div><div style="position:relative"><div class="canvas" tabindex="0" role="application"></div><span class="zone">UTC</span></div><span class="probe" aria-hidden="true"></span></div>'


def library_folder() -> Path:
    """Where the package keeps the file of the library; the package itself is not run."""
    spec = importlib.util.find_spec("lwcharts")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package lwcharts is not installed; run make install")
    return Path(spec.submodule_search_locations[0])


def component() -> Callable[..., Any]:
    """What draws the chart, registered with the running server once."""
    manager = get_bidi_component_manager()
    if manager.get(LIBRARY) is None:
        manager.register_from_manifest(ComponentManifest("lightweight", "5", [ComponentConfig("charts", "vendor")]), library_folder())
    if manager.get(NAME) is None:
        manager.register_from_manifest(ComponentManifest("tidemark", "1", [ComponentConfig("price_chart", "chart_files")]), HERE)
    return st.components.v2.component(NAME, html=HTML, css="price_chart.css", js="price_chart.js")
