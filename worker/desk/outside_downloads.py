"""Downloads of external data: which vendors there are, what each gives, and the job."""

from __future__ import annotations

from datetime import date

from domain.errors import BadRequest
from domain.outside.series import series
from domain.outside.source import OUTSIDE_SOURCES, OutsideRequest
from domain.venues import VENDORS
from worker.desk.context import DeskContext, Submitted, key_of
from worker.desk.outside import LONGEST, NAMES
from worker.store import Outside


class OutsideDownloads:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def sources(self) -> dict[str, str]:
        """Name -> title of the vendors of external data; a double is called one."""
        environment = self._context.settings.vendors
        return {name: f"{VENDORS[name].title} (local double)" if VENDORS[name].is_double(environment) else VENDORS[name].title for name in OUTSIDE_SOURCES}

    def kind(self, source: str) -> str:
        """What comes from it: series, releases or headlines."""
        return OUTSIDE_SOURCES[source].kind

    def gives(self, source: str) -> str:
        """What comes from it, with its limits, in a sentence."""
        return VENDORS[source].gives

    def series(self) -> dict[str, str]:
        """Name -> title of the series of the table that FRED has."""
        return {name: row.title for name, row in series().items() if _at_fred(name)}

    def offered_url(self, source: str) -> str:
        """The vendor's own address, where it has one that a person may change."""
        return VENDORS[source].url if OUTSIDE_SOURCES[source].kind != "series" else ""

    def own_address_only(self) -> bool:
        """Whether a page may ask for the vendors' own addresses only: it is reached from other machines, and this one may see what they may not."""
        return not self._context.settings.alone

    def submit(self, source: str, name: str = "", url: str = "", start: date | None = None, end: date | None = None, utc: bool = False, own_rights: bool = False) -> Submitted:
        """Download a series (``name``, as in the table), a calendar or a feed (``url``), and add it to the newest of its name.

        Of a series that came from there before only what is newer than its last date is requested, and that date once more, unless ``start`` or ``end`` say otherwise.
        A page asks for any address where it is reached from this machine only, the terminal for any (``own_rights``).
        """
        kind, vendor, settings = OUTSIDE_SOURCES[source], VENDORS[source], self._context.settings
        vendor.require(settings.vendors)
        vendor.address(settings.vendors)
        url = "" if url == vendor.url else url.strip()
        if url and kind.kind == "series":
            raise BadRequest(f"{vendor.title} takes the name of a series, not an address; leave the address out")
        kind.check(OutsideRequest(name if kind.kind == "series" else "", url, start, end, utc))
        if url and self.own_address_only() and not own_rights:
            raise BadRequest("this page is reached from other machines, so it asks vendors' own addresses only; download the file and import it, or use: tidemark data outside download")
        name = name if kind.kind == "series" else self._named(kind.kind, name)
        newest = self._newest(kind.kind, name, vendor.title)
        if newest and kind.kind == "series" and not start and not end:
            start = newest.last_ts.date()
        spec = dict(
            source=source, name=name, url=url, start=start.isoformat() if start else "", end=end.isoformat() if end else "", utc=utc, after=newest.id if newest else "",
            **(dict(file=series()[name].file) if kind.kind == "series" else {}),
        )  # fmt: skip
        key = key_of("download_outside", spec)
        self._forget_ended(key)
        return self._context.submit("download_outside", f"Download {name} from {vendor.title}", spec, key=key)

    def _newest(self, kind: str, name: str, title: str) -> Outside | None:
        """The import that what comes is added to; a series from elsewhere is not mixed with one whose values are dated by publication."""
        with self._context.store.read() as unit:
            newest: Outside | None = unit.outside.newest(kind, name)
        return newest if newest and (kind != "series" or newest.source.startswith(f"{title}: ")) else None

    def _named(self, kind: str, name: str) -> str:
        name = name.strip() or NAMES[kind]
        if len(name) > LONGEST or not name.isprintable():
            raise BadRequest(f"the name is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters")
        return name

    def _forget_ended(self, key: str) -> None:
        """The same download may be requested again once it has ended: by then a vendor may have more."""
        with self._context.store.unit() as unit:
            job = unit.jobs.of_key(self._context.keyed(key))
            if job is not None and not job.open:
                unit.jobs.forget_key(job.id)


def _at_fred(name: str) -> bool:
    try:
        OUTSIDE_SOURCES["fred"].check(OutsideRequest(name))
    except BadRequest:
        return False
    return True
