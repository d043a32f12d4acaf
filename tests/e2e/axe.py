"""axe-core over a drawn page: what is serious or critical, without what Streamlit itself draws and cannot be told to draw otherwise."""

from __future__ import annotations

from importlib import resources
from typing import Any

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
GRAVE = ("serious", "critical")
EXCEPTIONS = {      # rule -> (selector, why)
    "svg-img-alt": ("[data-testid=stMetricChart], .vega-embed .role-mark:empty, .vega-embed .span_brush, .vega-embed .span_brush_bg", "Vega gives a role and no name to a layer without marks, to the frame of a brush and to the curve of a metric; the chart itself has a name"),
    "list": ("[data-testid=stSidebarNavItems]", "Streamlit puts the sections of the menu as div into its list"),
    "listitem": ("[data-testid=stSidebarNav] li", "Streamlit puts the sections of the menu as div into its list"),
    "color-contrast": ("kbd[aria-label^=Shortcut], [data-testid=stBaseButton-header]", "Streamlit writes the keys on a primary button in a paler white, and its own Stop button fades in and out; the keys are in the button's name too, and on the page Help"),
}  # fmt: skip

RUN = """async ([tags, exceptions]) => {
  const report = await axe.run(document, {resultTypes: ['violations'], runOnly: {type: 'tag', values: tags}});
  const excepted = (rule, target) => { const element = document.querySelector(target[0]); return exceptions[rule] && element && element.closest(exceptions[rule]) !== null; };
  return report.violations.flatMap(({id, impact, nodes}) => nodes.filter(node => node.target.length > 1 || !excepted(id, node.target)).map(node => ({id, impact, target: node.target.join(' '), html: node.html, why: node.failureSummary})));
}"""


def grave(page: Any) -> list[str]:
    """A line for each serious or critical violation on the page as it is drawn."""
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    faults = page.evaluate(RUN, [RULES, {rule: selector for rule, (selector, _) in EXCEPTIONS.items()}])
    return [f"{fault['id']}: {fault['html'][:120]} ({' '.join(fault['why'].split())[:160]})" for fault in faults if fault["impact"] in GRAVE]
