"""A run as a document to export: one page, one text, and its curves as drawings. The same run is the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.errors import unknown
from domain.report import html, text
from domain.report.document import Document as Document
from domain.report.material import UNCOUNTED as UNCOUNTED
from domain.report.material import Material as Material
from domain.report.material import belief_of as belief_of
from domain.report.sections import document as document

FORMS: Mapping[str, str] = {
    "html": "One page with every chart and table; reads without a network and prints on A4.",
    "txt": "The same as text, 100 columns wide.",
    "equity.svg": "The equity curve as a drawing.",
    "drawdown.svg": "The drawdown as a drawing.",
}


def render(m: Material, form: str, built: Document | None = None) -> bytes:
    """The report of a run in one of FORMS; ``built`` is its document where several forms are wanted."""
    if form not in FORMS:
        raise unknown("form of a report", form, FORMS)
    return RENDERERS[form](m) if form.endswith("svg") else (html if form == "html" else text).page(built or document(m))


def equity_svg(m: Material) -> bytes:
    return m.equity_chart.standalone(f"{m.name or m.title}: equity", f"{m.currency}, marked to market at bar close; dashed: the start. Times are UTC.")


def drawdown_svg(m: Material) -> bytes:
    return m.drawdown_chart.standalone(f"{m.name or m.title}: drawdown", "Per cent below the highest equity so far, at bar close. Times are UTC.")


RENDERERS: Mapping[str, Callable[[Material], bytes]] = {"equity.svg": equity_svg, "drawdown.svg": drawdown_svg}


def reports(m: Material, built: Document | None = None) -> dict[str, bytes]:
    """Every form, by the name of its file."""
    built_document = built or document(m)
    return {form if form.endswith("svg") else f"report.{form}": render(m, form, built_document) for form in FORMS}
