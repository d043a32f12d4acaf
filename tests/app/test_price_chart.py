"""The chart's component: the library's file is TradingView's own, and nothing of it is asked from elsewhere."""

from __future__ import annotations

import hashlib
import re

import numpy as np

from app.backtest.chart_component import HERE, LIBRARY, library_folder
from app.backtest.chart_data import digits_of, plain
from app.backtest.chosen import trade_of

RELEASE = "c0992580867c4912cc9385b3c2728315bcc1a76c7f1087dca908430fccdf31d7"        # SHA-256 of lightweight-charts.standalone.production.js in TradingView's npm package 5.2.0


def test_the_library_is_the_file_that_tradingview_released():
    file = library_folder() / "vendor" / "lightweight-charts.standalone.production.js"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == RELEASE


def test_the_script_imports_the_library_from_this_server_and_asks_nothing_of_others():
    script = (HERE / "chart_files" / "price_chart.js").read_text(encoding="utf-8")
    assert re.findall(r'import "([^"]+)"', script) == [f"../{LIBRARY}/lightweight-charts.standalone.production.js"]
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|innerHTML|eval\(", script) and "attributionLogo: true" in script


def test_values_that_are_not_there_are_null_and_decimals_fit_the_values():
    assert plain(np.array([-37.63, np.nan])) == [-37.63, None]
    assert [digits_of(np.array(values)) for values in ([0.0], [-1_234.5], [0.5])] == [2, 1, 5]
    assert [trade_of(text, 5) for text in ("5", "6", "٣", "-1", "1.0", "9" * 40)] == [5, None, None, None, None, None]
