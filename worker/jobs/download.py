"""Download of bars from a vendor: only what is missing, page by page; what came is stored, the rest named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pandas as pd

from domain.errors import BadBars, BadRequest, SourceUnavailable, listed
from domain.market import Instrument, Timeframe, content_version, instrument, repair
from domain.market.downloaded import Ask, Held, asks, at_the_edges, inside, joined, revisions, together
from domain.market.plausible import price_sentence
from domain.market.quality import WORST
from domain.market.report import Report, moment, sentence_of
from domain.market.source import Missing, Page, Request, Span, available, without
from domain.market.verdict import LOST
from domain.market.zones import instant
from domain.venues import SOURCES, VENDORS
from domain.venues.http import Connection, Refused
from worker.answers import Answers, answer_key
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.save_dataset import plain_ledger, save_dataset
from worker.store import Unit
from worker.vendors import connection_to

GIVE_UP = 2         # pages in a row without an answer: the rest is not requested
SHOWN = 5           # revised bars that are named


@dataclass
class Came:
    """What the pages have brought so far."""

    frames: list[pd.DataFrame] = field(default_factory=list)
    answered: list[Span] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    requests: int = 0
    cached: int = 0

    @property
    def bars(self) -> pd.DataFrame:
        return together(self.frames)

    def add(self, page: Page, cached: bool) -> None:
        self.frames.append(page.bars)
        self.missing += page.missing
        self.answered += without(page.span, (each.span for each in page.missing))
        self.notes |= dict.fromkeys(page.notes)
        self.requests, self.cached = self.requests + (not cached), self.cached + cached


@job("download", limit=6 * 3_600, retries=0)
def download(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: source, instrument, timeframe, start, end (ISO 8601, the end not included)."""
    work.stage("Plan")
    this = Downloading(spec, work)
    gone = this.source.unavailable(this.request)
    open_spans = available(this.request, gone)
    held = this.held()
    work.stage("Download")
    came = this.fetch(asks(open_spans, held, this.request.timeframe.nanoseconds if this.source.overlap else 0), Came())
    revised = this.revised(held, came)
    if revised:
        came = this.fetch([Ask(span, ()) for span in open_spans], came, fresh=True)
        revised = sorted({*revised, *this.revised(held, came)})
    bars = together([came.bars, held.within(cut for span in open_spans for cut in without(span, came.answered))])
    bars, missing = inside(bars, this.request.span).reset_index(drop=True), (*gone, *came.missing)
    return this.store(bars, held, came, (*missing, *at_the_edges(this.request, bars, missing)), revised)


class Downloading:
    """One download: its request, its vendor, and the answers that this machine has."""

    def __init__(self, spec: Mapping[str, Any], work: Work) -> None:
        self._work, self._share, environment = work, 0.0, work.settings.vendors
        self.source, self._vendor = SOURCES[spec["source"]], VENDORS[spec["source"]]
        self.connection: Connection = connection_to(self._vendor, environment, self._check, self._notice)
        start, end = (instant(datetime.fromisoformat(spec[edge])) for edge in ("start", "end"))
        traded = instrument(spec["instrument"], work.settings.instruments_file)
        self.request = Request(traded, Timeframe.named(spec["timeframe"]), Span(start, end), self._at())
        self._double = self._vendor.address(environment) if self._vendor.is_double(environment) else ""
        self._symbol = self.source.symbol(traded)
        self._answers = Answers(work.settings.home / "answers")

    def _at(self) -> int:
        """The moment as of which bars are closed: that of the first attempt, so that a resumed job asks for the same."""
        checkpoint = self._work.checkpoint or dict(at=self._now())
        self._work.save(checkpoint)
        return int(checkpoint["at"])

    def _now(self) -> int:
        with self._work.store.read() as unit:
            return instant(unit.now())

    def _check(self) -> None:
        self._work.progress(self._share)

    def _notice(self, sentence: str) -> None:
        self._work.progress(self._share, sentence)

    @property
    def series(self) -> str:
        """What earlier downloads must have been of, to be gone on with."""
        request = self.request
        return " ".join((self.source.name, self._symbol, request.instrument.name, str(request.timeframe), self.source.side, self._double)).strip()

    def held(self) -> Held:
        """What earlier downloads of the series have, the newest first."""
        with self._work.store.read() as unit:
            downloads = [each for each in unit.datasets.all() if each.provenance.get("series") == self.series]
        frames = self._work.store.frames
        newest = sorted(downloads, key=lambda each: (each.created_at, each.id), reverse=True)
        return Held.of(
            ([Span(*edges) for edges in each.provenance["covered"]], frames.get(each.frame))
            for each in newest
            if not frames.fault(each.frame)
        )

    def fetch(self, wanted: list[Ask] | tuple[Ask, ...], came: Came, fresh: bool = False) -> Came:
        """The pages of what is wanted, from the vendor or, but for ``fresh``, the answers of this machine. A refusal
        after something has come, and a second page in a row without an answer, end it: the rest is missing."""
        pages = [(page, ask) for ask in wanted for page in self._plan(ask.span)]
        if fresh:
            came = replace(Came(), notes=came.notes, requests=came.requests, cached=came.cached)
        failed = 0
        for number, (span, ask) in enumerate(pages):
            self._share = 0.02 + 0.86 * number / len(pages)
            self._work.progress(self._share, f"page {number + 1} of {len(pages)}, from {moment(span.start)}")
            overlap = any(span.start <= ts < span.end for ts in ask.overlap)
            try:
                came.add(*self._page(span, fresh or overlap))
                failed = 0
            except (SourceUnavailable, Refused, BadBars) as error:
                if isinstance(error, Refused) and not came.frames:
                    raise
                failed += 1
                came.missing.append(Missing(span, "failed", str(error)))
                if failed == GIVE_UP or isinstance(error, Refused):
                    came.missing += [Missing(left, "failed", f"not requested, after: {error}") for left, _ in pages[number + 1 :]]
                    break
        return came

    def _plan(self, span: Span) -> tuple[Span, ...]:
        return self.source.plan(replace(self.request, span=span))

    def _page(self, span: Span, fresh: bool) -> tuple[Page, bool]:
        """A page, and whether it was an answer of this machine."""
        request = self.request
        closed = span.end + request.timeframe.nanoseconds <= request.at       # the answer is the same at any later moment
        key = answer_key(series=self.series, start=span.start, end=span.end, at=0 if closed else request.at)
        if not fresh and (page := self._answers.get(key, span)):
            return page, True
        page = self.source.page(replace(request, span=span), span, self.connection)
        self._answers.put(key, page)
        return page, False

    def revised(self, held: Held, came: Came) -> list[str]:
        """How bars that are held differ from the same bars requested again."""
        spans = [cut for span in held.covered for answer in joined(came.answered) if (cut := span.cut(answer))]
        return revisions(held.within(spans), together([inside(came.bars, span) for span in spans]))

    def store(self, bars: pd.DataFrame, held: Held, came: Came, missing: tuple[Missing, ...], revised: list[str]) -> Commit:
        """The commit of the dataset. SourceUnavailable or BadRequest where there is nothing to store."""
        work, request = self._work, self.request
        if not len(bars):
            raise self._nothing(missing)
        work.stage("Check")
        checked, report = repair(bars, request.instrument, request.timeframe, "UTC", request.at, progress=work.within(0.88, 0.97))
        report = _usable(checked, report, request.instrument, self.source.title)
        work.stage("Store")
        notes = [*came.notes, *_revised_words(revised)]
        report = replace(report, notes=(*report.notes, *notes))
        covered = joined([*came.answered, *(cut for span in held.covered if (cut := span.cut(request.span)))])
        span = request.span
        provenance = dict(
            series=self.series, vendor=self.source.name, symbol=self._symbol, double=self._double, requested=[moment(span.start), moment(span.end)], at=moment(request.at),
            covered=[[cut.start, cut.end] for part in covered if (cut := part.cut(span))], missing=_rows(missing), notes=notes, revised=len(revised),
        )  # fmt: skip
        frames = dict(frame=work.store.frames.put(checked), ledger=work.store.frames.put(plain_ledger(report.ledger)) if len(report.ledger) else None)
        version = content_version(checked, request.instrument.name, request.timeframe, self.source.side)
        saved = save_dataset(
            work, checked, version, frames, report, instrument=request.instrument.name, timeframe=str(request.timeframe), side=self.source.side,
            source=f"{self.source.title} (local double)" if self._double else self.source.title, verdict="clean" if report.verdict == "clean" else "repaired",
            provenance=provenance, synthetic=False,
        )  # fmt: skip
        self._answers.sweep()
        facts = dict(missing=_rows(missing), notes=notes, revised=revised[:SHOWN], revised_count=len(revised), pages=came.requests, cached=came.cached, bars=len(checked), version=version)

        def commit(unit: Unit) -> JobResult:
            result = saved(unit)
            detail = dict(missing=len(missing), revised=len(revised), pages=came.requests, cached=came.cached, double=bool(self._double))
            return replace(result, result=dict(result.result) | facts, detail=dict(result.detail) | detail)

        return commit

    def _nothing(self, missing: tuple[Missing, ...]) -> Exception:
        request = self.request
        what = f"{request.instrument.name} {request.timeframe} from {moment(request.span.start)} to {moment(request.span.end)}"
        if any(each.reason == "failed" for each in missing):
            return SourceUnavailable(f"nothing of {what} came: {next(each.sentence for each in missing if each.reason == 'failed')}")
        if missing:
            return BadRequest(f"there is nothing to download of {what}: {listed([each.sentence for each in missing], 3)}; choose another period")
        return BadRequest(f"{self.source.title} has no bars of {what}; choose another period")


def _usable(bars: pd.DataFrame, report: Report, traded: Instrument, title: str) -> Report:
    """The report of bars that may be stored: holes are the vendor's, and are listed; what it says wrongly is not stored."""
    counts = {finding.key: finding.count for finding in report.findings}
    lost = sum(counts.get(key, 0) for key in LOST)
    if not len(bars) or lost > WORST * report.rows_read or price_sentence(bars["close"].to_numpy(), traded):
        raise BadRequest(f"{title} gave bars that cannot be used: {report.sentence}")
    return replace(report, verdict="repairable", sentence=sentence_of(report.findings)) if report.verdict == "refused" else report


def _rows(missing: tuple[Missing, ...]) -> list[dict[str, str]]:
    return [{"from": moment(each.span.start), "to": moment(each.span.end), "reason": each.reason, "sentence": each.sentence} for each in _merged(missing)]


def _merged(missing: tuple[Missing, ...]) -> Iterator[Missing]:
    """Neighbours that are missing for one reason and sentence as one span."""
    last: Missing | None = None
    for each in sorted(missing, key=lambda part: part.span.start):
        if last and last.span.end >= each.span.start and (last.reason, last.sentence) == (each.reason, each.sentence):
            last = replace(last, span=Span(last.span.start, max(last.span.end, each.span.end)))
            continue
        if last:
            yield last
        last = each
    if last:
        yield last


def _revised_words(revised: list[str]) -> list[str]:
    return [f"the vendor revised {len(revised):,} {'bar' if len(revised) == 1 else 'bars'} since an earlier download: {listed(revised, SHOWN)}"] if revised else []
