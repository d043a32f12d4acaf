"""The component that draws the chart of a run. Its script is ours; it draws with TradingView Lightweight Charts, whose file the package
``lwcharts`` carries unchanged. Both are served as files by this server: the Content-Security-Policy allows no script inside a page."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.kit.component import component as own_component
from app.kit.component import serve

HERE = Path(__file__).parent
LIBRARY = "lightweight.charts"       # the address of its file, which chart_files/price_chart.js names
HTML = '<div class="chart"><p class="title"></p><div class="top"><p class="readout"></p><span class="unit"></span></div><div style="position:relative"><div class="canvas" tabindex="0" role="application"></div><span class="zone">UTC</span></div><span class="probe" aria-hidden="true"></span></div>'


def library_folder() -> Path:
    """Where the package keeps the file of the library; the package itself is not run."""
    spec = importlib.util.find_spec("lwcharts")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package lwcharts is not installed; run make install")
    return Path(spec.submodule_search_locations[0])


def component() -> Callable[..., Any]:
    """What draws the chart, registered with the running server once."""
    package, name = LIBRARY.split(".")
    serve(package, name, library_folder(), "vendor", "5")
    return own_component("tidemark", "price_chart", HERE, "chart_files", HTML)
