"""Returns by month and year."""

from __future__ import annotations

from typing import Any

from app.backtest.panels import headed, read
from app.kit import charts
from app.kit.draw import draw_chart
from app.kit.figures import percent
from app.kit.widgets import figures
from worker.desk import Desk


def view(desk: Desk, run: Any) -> None:
    table = read(desk, "months", run.id)
    months = table[table["month"] > 0]["share"]
    headed(desk, run, "Monthly returns", "net, UTC; on a narrow screen in whole per cents", "months")
    draw_chart(charts.months(table), alt="Net return of each month and year")
    figures([
        ("Winning months", f"{int((months > 0).sum())} of {len(months)}", percent(float((months > 0).mean()), 0), "Months with a net return above 0."),
        ("Best month", percent(float(months.max()), 1, True), "net", ""),
        ("Worst month", percent(float(months.min()), 1, True), "net", ""),
        ("Median month", percent(float(months.median()), 1, True), "median", "Half of the months were better, half worse."),
    ])  # fmt: skip
