"""Reports of ``tidemark backtest``: files beside the results, and a short one on the terminal."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.analytics import Belief, Remark
    from domain.backtest.study import Study
    from domain.report import Material

COLOURS = {"up": "cyan", "down": "dark_orange", "warn": "yellow", "breach": "red", "quiet": "bright_black", "other": "magenta"}


@dataclass(frozen=True)
class RunReport:
    """A backtest on files with its remarks and manifest. ``model``: the one that filtered its signals, and how much of what it used. ``held``: metrics of buy and hold (None where nothing could be bought), and what is held."""

    study: Study
    remarks: Sequence[Remark]
    manifest: Mapping[str, Any]
    model: Mapping[str, Any] | None = None
    held: Mapping[str, Any] | None = None

    @cached_property
    def belief(self) -> Belief:
        """Robustness with one trial counted; a note says that there may have been others."""
        from domain.report import belief_of

        outcome = self.study.outcome
        return belief_of(outcome.equity, self.study.metrics, self.remarks, start=self.study.rules.account.balance, ambiguous=outcome.ambiguous, market=self.study.market)

    def plain(self) -> dict[str, Any]:
        """Content of report.json."""
        from domain.report import UNCOUNTED

        study, outcome = self.study, self.study.outcome
        return dict(
            **(dict(model=dict(self.model)) if self.model else {}),
            counts=dict(outcome.counts), ambiguous_bars=outcome.ambiguous, signals=study.signals, entries=outcome.extra["entries"], bars=study.bars, bars_of_history=dict(study.history.bars), history=study.history.sentence,
            **(dict(benchmark=dict(self.held)) if self.held else {}),
            metrics=dict(study.metrics), remarks=[remark.sentence for remark in self.remarks], manifest=dict(self.manifest),
            belief={**asdict(self.belief), "remarks": [asdict(remark) for remark in self.remarks]}, trials=dict(counted=False, sentence=UNCOUNTED[0].lower() + UNCOUNTED[1:]),
        )  # fmt: skip

    def material(self, hashes: Mapping[str, str] | None = None) -> Material:
        from domain.report import UNCOUNTED, Material

        study, outcome = self.study, self.study.outcome
        return Material(
            outcome.trades, outcome.fills, outcome.equity, study.metrics, outcome.counts, study.bars, outcome.ambiguous, self.manifest,
            self.belief, self.remarks, UNCOUNTED, hashes or {}, outcome.reviews, hold=(self.held or {}).get("metrics"),
        )  # fmt: skip

    def write(self, out: Path, written: Sequence[str]) -> None:
        """Every form of the report into ``out``; it names the files ``written`` there by their hashes."""
        from domain.report import reports

        for name, content in reports(self.material({name: _hash(out / name) for name in written})).items():
            (out / name).write_bytes(content)


def _hash(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def show(run_report: RunReport) -> None:
    """The head of the report on the terminal; colours where there is one that has them."""
    from rich.console import Console

    from domain.report.charts import spark
    from domain.report.document import Prose
    from domain.report.figures import bare_money, plain
    from domain.report.sections import headline, remarks, verdict

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")        # a console of another alphabet still gets its report
    console, m = Console(highlight=False, markup=False, soft_wrap=True), run_report.material()
    console.print(m.title, style="bold")
    console.print(plain(m.sentence), style="bright_black")
    console.print()
    _marked(console, verdict(m))
    console.print()
    for figure in headline(m).figures:
        console.print(_figure(figure))
    if len(m.equity):
        values = m.equity["equity"].to_numpy(float)
        console.print(f"\nEquity  {spark(values)}  {bare_money(m.start)} to {bare_money(float(values[-1]))} {m.currency}\n")
    for block in (*remarks(m).blocks, Prose(m.trials, "quiet", "trials")):
        _marked(console, block)


def _marked(console: Any, block: Any) -> None:
    from rich.text import Text

    from domain.report.document import MARKS

    console.print(Text(f"{MARKS.get(block.tone, '·')} {block.mark:<10}", style=f"bold {COLOURS.get(block.tone, 'default')}") + Text(f"  {block.text}"))


def _figure(figure: Any) -> Any:
    from rich.text import Text

    from domain.report.figures import plain

    return Text.assemble((f"{figure.title:<14}", "bright_black"), (f"{plain(figure.value):>14}", "bold"), (f"   {plain(figure.note)}", "bright_black"))
