"""Metrics as one table by family, in columns of text; each name carries its definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd
import streamlit as st

from app.kit.figures import typeset

MANY = 7        # columns, above which they stand closer
STYLE = """<style>
.metrics { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.93rem; }
.metrics th, .metrics td { padding: 3px 8px; text-align: right; border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); white-space: nowrap; }
.metrics th:first-child { text-align: left; font-weight: 400; white-space: normal; min-width: 118px; }
.metrics th[title] { cursor: help; text-decoration: underline dotted color-mix(in srgb, currentColor 45%, transparent); text-underline-offset: 3px; }
.metrics thead th, .metrics .family th { font-weight: 600; }
.metrics .family th { padding-top: 14px; }
.metrics td:nth-child(2) { font-weight: 600; }
.metrics.many { font-size: 0.82rem; }
.metrics.many th, .metrics.many td { padding: 3px 5px; }
.metrics.many th:first-child { min-width: 96px; }
.metrics-scroll { overflow-x: auto; }
</style>"""


def metric_table(rows: pd.DataFrame, families: Mapping[str, str], columns: Mapping[str, tuple[str, str]], label: str) -> None:
    """Draw ``rows``: family, title, definition, source, and a column of text for each of ``columns``: name -> title, definition."""
    heads = "".join(f'<th scope="col"{_title(definition)}>{escape(title)}</th>' for title, definition in columns.values())
    groups = "".join(_group(families[str(name)], part, list(columns)) for name, part in rows.groupby("family", sort=False))
    st.html(
        f'{STYLE}<div class="metrics-scroll" tabindex="0" role="region" aria-label="{escape(label)}"><table class="metrics{" many" if len(columns) > MANY else ""}"><thead><tr><th scope="col">Metric</th>{heads}</tr></thead>{groups}</table></div>'
    )


def defined(row: Mapping[str, str]) -> str:
    """A metric's definition with its source."""
    return typeset(row["definition"] + (f" Source: {row['source']}." if row["source"] else ""))


def _group(title: str, rows: pd.DataFrame, columns: Sequence[str]) -> str:
    lines = [f'<tr class="family"><th scope="rowgroup" colspan="{len(columns) + 1}">{escape(title)}</th></tr>']
    for row in rows.to_dict("records"):
        cells = "".join(f"<td>{escape(row[column])}</td>" for column in columns)
        lines.append(f'<tr><th scope="row"{_title(defined(row))}>{escape(row["title"])}</th>{cells}</tr>')
    return f"<tbody>{''.join(lines)}</tbody>"


def _title(definition: str) -> str:
    return f' title="{escape(definition)}"' if definition else ""
