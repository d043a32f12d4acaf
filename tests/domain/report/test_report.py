"""The report of a run: everything is in it, nothing comes from outside, and the same run is the same bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from domain.errors import UnknownName
from domain.report import FORMS, document, render, reports
from domain.report.palette import PALETTE
from domain.report.sections import tables_of
from tests.domain.analytics import makers as parts
from tests.domain.report.makers import MANIFEST, SPEC, START, empty, material, material_of, results

VOID = {"meta", "br", "hr", "img", "link", "input"}
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """Reads a page strictly: what opens must close, in order."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(content.decode())
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u202f", " ").split())


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return reports(material())


def html(**changes: object) -> bytes:
    return render(material(**changes), "html")


# -- the page


def test_the_page_is_complete_and_has_every_section(files):
    page = Page(files["report.html"])
    names = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert names == ["figures", "equity", "months", "distribution", "costs", "groups", "refused", "remarks", "believability", "all", "rules", "manifest"]
    assert [tag for tag, _ in page.tags].count("svg") == 5


def test_the_page_needs_nothing_from_outside_and_no_script(files):
    content = files["report.html"].decode()
    assert "http://" not in content and "https://" not in content and "//" not in re.sub(r"\s", "", content.split("</style>")[1])
    page = Page(files["report.html"])
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed"}
    assert not [name for _, attributes in page.tags for name in attributes if name in ("src", "href", "style") or name.startswith("on")]
    assert "url(" not in content and "@import" not in content


def test_the_page_shows_the_figures(files):
    m, text = material(), Page(files["report.html"]).text
    f = m.metrics
    sign = "+" if f["net_return"] > 0 else "\u2212"
    assert f"{sign}{abs(100 * f['net_return']):,.1f} %" in text and f"{sign}{abs(f['net_profit']):,.0f} USD" in text
    assert f"\u2212{abs(100 * f['max_drawdown']):.1f} %" in text and f"{f['profit_factor']:.2f}" in text and f"{f['expectancy_r']:+.3f} R".replace("-", "\u2212") in text
    for expected in ("breakout \u00b7 EURUSD M15", "ab" * 32, "cd" * 32, "ef" * 32, "12,345 bars", "1,234", "A position with the same tag was already open.", "Two trials are counted.", "3.11.9", "lookback"):
        assert expected in text, expected
    assert m.belief.verdict.replace("-", "\u2212") in text.replace("-", "\u2212")
    for assessed in (*m.remarks, *m.belief.questions):
        assert assessed.sentence.replace("-", "\u2212") in text.replace("-", "\u2212")


def test_input_of_people_and_files_is_text_not_markup():
    dangerous = "<script>alert('x')</script>\"&"
    trades = parts.trades(results(40)).assign(tag=dangerous)
    page = Page(render(material_of(trades, parts.fills(trades), parts.equity(trades, START), name=dangerous, note=dangerous), "html"))
    assert "script" not in {tag for tag, _ in page.tags} and page.text.count("alert('x')") >= 2
    svg = ElementTree.fromstring(render(material(name=dangerous), "equity.svg"))
    assert dangerous in (svg.find(f"{SVG}title").text or "")


def test_losing_is_down_and_severe_remarks_are_named_by_words_too():
    page = html(r=results(60, -0.4))
    assert b'class="verdict down"' in page and "\u25bc unprofitable" in Page(page).text
    assert "\u2715 severe" in Page(html(r=results(9))).text


def test_synthetic_bars_are_badged():
    assert "synthetic bars" in Page(html(synthetic=True)).text and "synthetic bars" not in Page(html()).text
    assert "[synthetic bars]" in render(material(synthetic=True), "txt").decode()


def test_light_and_dark_and_paper_are_styled(files):
    style = files["report.html"].decode().split("<style>")[1].split("</style>")[0]
    assert "@media screen and (prefers-color-scheme:dark)" in style and "@page{size:A4" in style
    used = set(re.findall(r"var\(--(\w+)", style)) - {"tone"}
    assert used <= set(PALETTE), "every colour that is used has a light and a dark value"


def test_a_month_without_a_move_is_plain_and_the_worst_month_is_at_the_end_of_the_scale():
    months = next(section for section in document(material()).sections if section.key == "months")
    cells = [cell for row in tables_of(months)[0].rows for cell in row[1:13] if cell.text]
    lowest = min(cells, key=lambda cell: float(cell.text.replace("\u2212", "-")))
    highest = max(cells, key=lambda cell: abs(float(cell.text.replace("\u2212", "-"))))
    assert lowest.tone in ("d0", "d1", "d2") or lowest.text.startswith("+")
    assert highest.tone in ("d0", "d9")


# -- the text


def test_the_text_fits_a_hundred_columns_and_has_the_same_content(files):
    text = files["report.txt"].decode()
    assert max(map(len, text.splitlines())) <= 100 and "\u202f" not in text and not re.search(r"[ \t]$", text, re.M)
    for title in ("EQUITY AND DRAWDOWN", "MONTHLY RETURNS", "COST ATTRIBUTION, GROSS TO NET", "CAVEATS", "ROBUSTNESS CHECKS", "REPRODUCIBILITY"):
        assert title in text
    assert "ab" * 32 in text and "Profit factor" in text


# -- drawings


@pytest.mark.parametrize("form", ["equity.svg", "drawdown.svg"])
def test_a_drawing_is_xml_with_title_units_and_its_own_colours(files, form):
    root = ElementTree.fromstring(files[form])
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert root.tag == f"{SVG}svg" and root.find(f"{SVG}title").text.startswith("breakout") and "UTC" in words
    assert "USD" in words if form == "equity.svg" else any(word.endswith("%") for word in words)
    style = root.find(f"{SVG}style").text
    assert "var(" not in style and "prefers-color-scheme:dark" in style and PALETTE["line"][0] in style and PALETTE["line"][1] in style


def test_a_drawing_of_a_long_curve_has_its_extremes_in_two_thousand_points():
    rng = np.random.default_rng(1)
    values = START + np.cumsum(rng.normal(0, 5, 200_000))
    values[123_457], values[54_321] = values.max() + 900, values.min() - 900
    ts = pd.date_range("2020-01-01", periods=len(values), freq="5min", tz="UTC", unit="ns")
    m = replace(material(), equity=pd.DataFrame(dict(ts=ts, balance=values, equity=values, equity_low=values, used_margin=0.0)))
    root = ElementTree.fromstring(render(m, "equity.svg"))
    line = next(element for element in root.iter(f"{SVG}path") if element.get("class") == "line").get("d")
    points = np.array([tuple(map(float, point.split())) for point in line[1:].split("L")])
    assert len(points) <= 2_000 and (np.diff(points[:, 0]) >= 0).all()
    others = np.sort(points[:, 1])
    assert others[0] < others[1] - 5 and others[-1] > others[-2] + 5, "both spikes stand out"


# -- the same, and nothing


def test_the_same_run_gives_the_same_bytes_and_no_clock_is_read():
    once, twice = reports(material()), reports(material())
    assert once == twice and set(once) == {"report.html", "report.txt", "equity.svg", "drawdown.svg"}
    assert b"created 2026" not in once["report.html"] and b"created 2026-11-20 14:02 UTC" in html(created="2026-11-20 14:02 UTC")


def test_one_price_more_is_another_report():
    assert html() != html(r=np.append(results(), 0.01))


@pytest.mark.parametrize("form", FORMS)
def test_a_run_without_trades_has_a_report(form):
    content = render(empty(), form)
    assert b"nan" not in content.lower().replace(b"finance", b"") and len(content) > 900
    if form == "html":
        assert "Nothing was traded" in Page(content).text


def test_a_run_without_stops_and_one_of_a_single_row_have_reports():
    trades = parts.trades(results(40)).assign(r=np.nan, mae_r=np.nan, mfe_r=np.nan)
    without = material_of(trades, parts.fills(trades), parts.equity(trades, START))
    assert "none had a stop" in Page(render(without, "html")).text
    single = material(np.array([1.0]))
    assert len(single.equity) == 1 and Page(render(single, "html")).text and ElementTree.fromstring(render(single, "equity.svg"))


def test_a_run_of_two_instruments_has_a_line_for_each_and_no_common_pip():
    trades = parts.trades(results(200))
    trades["instrument"] = np.where(np.arange(200) < 120, "EURUSD", "GBPUSD")
    data = [dict(SPEC["data"][0], instrument=name) for name in ("EURUSD", "GBPUSD")]
    spec = SPEC | dict(data=data, instruments={name: dict(name=name, pip="0.0001") for name in ("EURUSD", "GBPUSD")})
    text = Page(render(material_of(trades, parts.fills(trades), parts.equity(trades, START), manifest=MANIFEST | dict(spec=spec)), "html")).text
    assert "EURUSD, GBPUSD M15" in text and "one instrument only" in text and "GBPUSD 80" in text


def test_orders_that_were_refused_or_shrunk_are_named_once_a_reason():
    ts = pd.date_range("2024-03-01T10:00Z", periods=3, freq="h", unit="ns")
    reviews = pd.DataFrame(dict(order_id=[1, 2, 3], ts=ts, instrument="EURUSD", verdict=["refused", "refused", "shrunk"], reason=["limit_spread", "limit_spread", "shrunk_leverage"], lots_requested=[1.0, 2.0, 3.0], lots_given=[0.0, 0.0, 1.5]))
    text = Page(html(reviews=reviews)).text
    assert "Spread spike Rejected 2024-03-01 10:00 EURUSD 1.00 0.00 2" in text and "Reduced to leverage limit Reduced 2024-03-01 12:00 EURUSD 3.00 1.50 1" in text


def test_a_form_that_is_none_is_a_sentence():
    with pytest.raises(UnknownName, match="no form of a report named 'htm'; did you mean 'html'"):
        render(material(), "htm")
