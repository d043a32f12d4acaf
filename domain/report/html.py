"""A document as one page: no script, nothing from outside, light and dark, fit for A4."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from domain.report.document import MARKS, Block, Cell, Document, Figure, Figures, Picture, Prose, Section, Table, cell, name_of, right
from domain.report.palette import CHART, variables

STYLE = Path(__file__).with_name("style.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(document: Document) -> bytes:
    """The report as HTML, in UTF-8."""
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(document.title)} · Tidemark</title>\n'
        f"<style>\n{variables()}\n{CHART}\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
    )
    badges = "".join(f' <span class="badge {badge.tone}">{_mark(badge.tone)} {escape(badge.text)}</span>' for badge in document.badges)
    top = f'<header>\n<p class="brand">Tidemark · backtest report</p>\n<h1>{escape(document.title)}{badges}</h1>\n<p class="lead">{escape(document.sentence)}</p>\n</header>\n'
    verdict = f'<p class="verdict {document.verdict.tone}"><b>{_mark(document.verdict.tone)} {escape(document.verdict.mark)}</b> {escape(document.verdict.text)}</p>\n'
    body = "".join(_section(section) for section in document.sections)
    return f"{head}{top}{verdict}{body}<footer>{escape(document.foot)}</footer>\n</main>\n</body>\n</html>\n".encode()


def _section(section: Section) -> str:
    title = f"<h2>{escape(section.title)}</h2>" if section.title else ""
    note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
    return f'<section id="{section.key}">\n{title}{note}\n{"".join(_block(block) for block in section.blocks)}</section>\n'


def _block(block: Block) -> str:
    if isinstance(block, Figures):
        return f'<dl class="figures">{"".join(_figure(part) for part in block.figures)}</dl>\n'
    if isinstance(block, Prose):
        return _prose(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Picture):
        title = f"<figcaption>{escape(block.title)}</figcaption>" if block.title else ""
        return f"<figure>{title}{block.chart.inline()}</figure>\n"
    return f'<div class="beside">{"".join(_block(part) for part in block.blocks)}</div>\n'


def _figure(figure: Figure) -> str:
    return f'<div title="{escape(figure.definition)}"><dt>{escape(figure.title)}</dt><dd><b>{escape(figure.value)}</b><span>{escape(figure.note)}</span></dd></div>'


def _prose(prose: Prose) -> str:
    mark = f"<b>{_mark(prose.tone)} {escape(prose.mark)}</b>" if prose.mark else ""
    return f'<p class="prose {prose.tone}">{mark}<span>{escape(prose.text)}</span></p>\n'


def _table(table: Table) -> str:
    title = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    head = "".join(f"<th{_kinds('num' if right(column) else '')}>{escape(name_of(column))}</th>" for column in table.columns)
    return f'<div class="scroll"><table{_kinds(table.kind)}>{title}<thead><tr>{head}</tr></thead><tbody>{"".join(_row(row, table.columns) for row in table.rows)}</tbody></table></div>\n'


def _row(row: Sequence[str | Cell], columns: Sequence[str]) -> str:
    cells = [(cell(content), right(column)) for content, column in zip(row, columns, strict=True)]
    return f"<tr>{''.join(f'<td{_kinds(*_named(content, number))}>{escape(content.text)}</td>' for content, number in cells)}</tr>"


def _named(cell: Cell, number: bool) -> tuple[str, ...]:
    return ("num" if number else "", cell.tone and f"tone {cell.tone}", cell.kind)


def _kinds(*names: str) -> str:
    classes = " ".join(name for name in names if name)
    return f' class="{classes}"' if classes else ""


def _mark(tone: str) -> str:
    return MARKS.get(tone, "")


