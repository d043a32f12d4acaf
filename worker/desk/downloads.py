"""Downloads of bars: which vendors there are, what each needs and cannot give, and the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from domain.errors import BadRequest, listed
from domain.market import Timeframe, instrument
from domain.market.report import moment
from domain.market.source import Missing, Request, Span, available
from domain.market.zones import instant
from domain.venues import SOURCES, VENDORS
from worker.desk.context import DeskContext, Submitted, key_of

ALIASES = {"mt5": "metatrader"}         # other names of vendors


@dataclass(frozen=True)
class VendorState:
    """A vendor as Settings and the form show it. ``needs``: a sentence for each variable, never its value; ``double``: the
    address of the double on this machine that answers in its place, or nothing."""

    name: str
    title: str
    kind: str
    gives: str
    needs: tuple[str, ...]
    ready: bool
    state: str
    double: str


class Downloads:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def vendors(self) -> list[VendorState]:
        """Every vendor, with what it needs and whether it is available."""
        return [self._state(name) for name in VENDORS]

    def sources(self) -> dict[str, str]:
        """Name -> title of the vendors that give bars; a double is called one."""
        return {name: f"{SOURCES[name].title} (local double)" if self._state(name).double else SOURCES[name].title for name in SOURCES}

    def _state(self, name: str) -> VendorState:
        vendor, environment = VENDORS[name], self._context.settings.vendors
        missing = vendor.missing(environment)
        needs = tuple(f"{need.variable}: {need.what}, {'not set' if need in missing else 'set'}" for need in vendor.needs)
        try:
            double = vendor.address(environment) if vendor.is_double(environment) else ""
        except BadRequest as error:
            return VendorState(name, vendor.title, vendor.kind, vendor.gives, needs, False, str(error), "")
        if sentence := vendor.absent():
            return VendorState(name, vendor.title, vendor.kind, vendor.gives, needs, False, sentence, "")
        words = f"not ready: set {listed([need.variable for need in missing])}" if missing else f"local double at {double}" if double else "ready"
        return VendorState(name, vendor.title, vendor.kind, vendor.gives, needs, not missing, words, double)

    def beforehand(self, source: str, instrument_: str, timeframe: str, start: datetime, end: datetime) -> list[str]:
        """Sentences on what of a download cannot be had, by the vendor's limits and by the clock. BadRequest where nothing can."""
        source, request = ALIASES.get(source, source), self._request(instrument_, timeframe, start, end)
        missing = SOURCES[source].unavailable(request)
        if not available(request, missing):
            raise BadRequest(f"there is nothing to download of {instrument_} {timeframe} from {moment(request.span.start)} to {moment(request.span.end)}: {_sentences(missing)}; choose another period")
        return [f"{each.sentence}; nothing comes for {moment(each.span.start)} to {moment(each.span.end)}" for each in missing]

    def submit(self, source: str, instrument_: str, timeframe: str, start: datetime, end: datetime) -> Submitted:
        """Download the bars that open from ``start`` to before ``end``; what an earlier download has stored is not requested again."""
        source = ALIASES.get(source, source)
        vendor, settings = VENDORS[source], self._context.settings
        if source not in SOURCES:
            raise BadRequest(f"{vendor.title} gives no bars; sources of bars are {listed(SOURCES, 9)}")
        vendor.require(settings.vendors)
        vendor.address(settings.vendors)
        self.beforehand(source, instrument_, timeframe, start, end)
        spec = dict(source=source, instrument=instrument_, timeframe=timeframe, start=start.astimezone(UTC).isoformat(), end=end.astimezone(UTC).isoformat())
        key = key_of("download", spec)
        self._forget_ended(key)
        return self._context.submit("download", f"Download {instrument_} {timeframe} from {vendor.title}", spec, queue="research", key=key)

    def _request(self, name: str, timeframe: str, start: datetime, end: datetime) -> Request:
        if start >= end:
            raise BadRequest(f"the period ends on {end:%Y-%m-%d %H:%M}, not after it starts on {start:%Y-%m-%d %H:%M}; choose a later end")
        traded = instrument(name, self._context.instruments_file)
        with self._context.store.read() as unit:
            at = instant(unit.now())
        return Request(traded, Timeframe.named(timeframe), Span(instant(start), instant(end)), at)

    def _forget_ended(self, key: str) -> None:
        """The same download may be requested again once it has ended: by then a vendor may have more."""
        with self._context.store.unit() as unit:
            job = unit.jobs.of_key(self._context.keyed(key))
            if job is not None and not job.open:
                unit.jobs.forget_key(job.id)


def _sentences(missing: tuple[Missing, ...]) -> str:
    return listed([each.sentence for each in missing], 3)
