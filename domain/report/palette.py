"""The colours of a report by role, light and dark, and how its charts are painted."""

from __future__ import annotations

import re

PALETTE = {                         # role: light, dark
    "page": ("#FFFFFF", "#0F161D"),
    "panel": ("#F3F5F8", "#18222C"),
    "text": ("#17222D", "#E3E9EF"),
    "muted": ("#5A6875", "#94A2AF"),
    "border": ("#DCE2E9", "#27333F"),
    "grid": ("#E6EAEF", "#212C37"),
    "line": ("#34508F", "#93ABE8"),
    "up": ("#0B7C86", "#3DBFC6"),
    "down": ("#C2570C", "#F0954A"),
    "quiet": ("#9AA6B1", "#6B7885"),
    "other": ("#B04A92", "#EBA3D4"),
    "warn": ("#8F6400", "#DDB247"),
    "breach": ("#B4233F", "#F2778C"),
    **{f"d{place}": pair for place, pair in enumerate(zip(
        ("#E0803A", "#E79B62", "#EDBB93", "#F3D3B9", "#F9E9DD", "#DFF0F0", "#BFE0E1", "#97CDD0", "#6DB9BE", "#3FA5AC"),
        ("#8F5019", "#7D4A1F", "#694223", "#523826", "#3A2E27", "#1E3237", "#1E444A", "#1D545B", "#1B646C", "#19737C"),
        strict=True,
    ))},
}  # fmt: skip
STEPS = 10                          # of the diverging scale, d0 the lowest

CHART = """
text{font:11.5px "Source Sans 3","Source Sans Pro",system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--muted);font-variant-numeric:tabular-nums}
.ink{fill:var(--text)} .mid{text-anchor:middle} .end{text-anchor:end} .name{font-size:16px;font-weight:600;fill:var(--text)}
.sheet{fill:var(--page)}
.grid{stroke:var(--grid);stroke-width:1;fill:none} .axis{stroke:var(--quiet);stroke-width:1;fill:none}
.dash{stroke:var(--quiet);stroke-width:1.2;stroke-dasharray:4 3;fill:none} .mark{stroke:var(--text);stroke-width:1.2;stroke-dasharray:3 2;fill:none}
.line{stroke:var(--line);stroke-width:1.5;stroke-linejoin:round;fill:none}
.fall{stroke:var(--down);stroke-width:1;stroke-linejoin:round;fill:none} .under{fill:var(--down);fill-opacity:.3}
.up{fill:var(--up)} .down{fill:var(--down)} .level{fill:var(--line)}
.won{stroke:var(--up);stroke-width:3.2;stroke-linecap:round;stroke-opacity:.45;fill:none} .lost{stroke:var(--down);stroke-width:3.2;stroke-linecap:round;stroke-opacity:.45;fill:none}
""".strip()


def variables() -> str:
    """The palette as CSS variables; dark on a dark screen, light on paper whatever the screen."""
    light, dark = (";".join(f"--{role}:{pair[mode]}" for role, pair in PALETTE.items()) for mode in (0, 1))
    return f":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def standalone() -> str:
    """The charts' rules with the colours written out: not every viewer of SVG knows variables."""
    return f"{_literal(0)}\n@media (prefers-color-scheme:dark){{\n{_literal(1)}\n}}"


def _literal(mode: int) -> str:
    return re.sub(r"var\(--(\w+)\)", lambda match: PALETTE[match[1]][mode], CHART)
