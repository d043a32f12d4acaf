"""Data: import bars, list them, read them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.content import Content
from app.api.paging import Rows, json_of, utc
from app.api.plain import plain
from app.api.problem import Problem
from app.api.shapes import Answer, Body, JobAnswer, Table, Time
from app.api.submission import Here, Submitting
from worker.desk.export import both_named

router = APIRouter(prefix="/v1/data", tags=["data"])
SHOWN = ("id", "instrument", "timeframe", "side", "source", "clock", "bars", "first_ts", "last_ts", "gaps", "spread", "verdict", "version", "actor", "created_at", "synthetic")


class Dataset(Answer):
    """Stored bars. `spread`: mean, in price units, null where the bars have none; `version`: SHA-256 of the content."""

    id: str
    instrument: str
    timeframe: str
    side: str
    bars: int
    first_ts: str
    last_ts: str
    version: str


class FileBody(Content):
    """A file of bars. Text in `content`, anything else in `content_base64`."""

    instrument: str = ""
    timeframe: str = ""
    side: Literal["", "bid", "ask", "mid"] = Field(default="", description="whose prices they are; left out: what the file says")
    clock: str = Field(default="", description="the file's clock, where it does not say it", examples=["UTC"])
    bar_time: Literal["", "open", "close"] = Field(default="", description="whether its times are those at which bars open or close; left out: as its weeks show")
    format: str = ""
    repair: bool = Field(default=False, description="repair what can be, with a list of the repairs; else a file that is not clean is refused")
    start: str = Field(default="", description="import from this time on")
    mapping: str = Field(default="", max_length=64, description="name of a column mapping, for a delimited file in no known format")


class AppendBody(FileBody):
    """A newer file of a stored series; instrument, timeframe and side are those of the series."""

    overlap: Literal["", "keep", "replace"] = Field(default="", description="bars that both have and that differ: those stored, or those of the file; left out: refused")


class InstrumentBody(Body):
    """Changed fields of an instrument."""

    values: dict[str, str | float | bool] = Field(examples=[{"swap_long": -6.5, "source": "price list of the broker"}])
    why: str = Field(max_length=500, examples=["price list of November"])


class NewInstrument(InstrumentBody):
    name: str = Field(max_length=32)
    like: str = Field(description="an instrument that there is")


class MappingBody(Body):
    """A column mapping. `columns`: role (time, time_of_day, open, high, low, close, volume, spread, ask_open …, or bid and ask of ticks) to a column's name, or its number from 1."""

    separator: Literal[",", ";", "\t", "|", " "] = ","
    decimal: Literal[".", ","] = "."
    header_lines: int = Field(default=1, ge=0, le=50, description="lines above the rows; the last names the columns")
    columns: dict[str, str | int] = Field(examples=[{"time": "Datum", "open": 2, "high": 3, "low": 4, "close": 5}])
    time_format: str = Field(default="", description="left out: as the first rows show; or a pattern like %d %b %Y %H:%M")
    clock: str = Field(default="", description="left out: inferred from the weekly open")
    bar_time: Literal["", "open", "close"] = Field(default="", description="whether times are those at which bars open or close; left out: as the weeks show")
    side: Literal["", "bid", "mid"] = ""
    spread_unit: Literal["price", "pips", "points"] = "price"


class VendorBody(Body):
    """Bars from a vendor, those that open from `start` to before `end`."""

    vendor: str = Field(examples=["dukascopy"])
    instrument: str
    timeframe: str
    start: Time
    end: Time


class SyntheticBody(Body):
    """Synthetic bars from a model of prices, for testing and as a no-edge benchmark."""

    model: str = Field(examples=["random_walk"])
    params: dict[str, Any] = Field(default={})
    instrument: str
    timeframe: str
    start: Time
    end: Time
    seed: int = 0


@router.post("/files", response_model=JobAnswer, status_code=202)
async def import_file(submission: Submitting, body: FileBody) -> Any:
    """Import a file of bars, in any format that the Data page reads."""

    def submit(desk: Here) -> Any:
        staged = desk.data.stage_upload(body.name, body.bytes(), unmapped=bool(body.mapping))
        staged = desk.mappings.apply(staged, body.mapping) if body.mapping else staged
        return desk.data.import_(staged, body.instrument, body.timeframe, body.side, body.clock, body.format, body.repair, start=body.start, bar_time=body.bar_time)

    return await submission.submit(submit)


@router.post("/{name}/append", response_model=JobAnswer, status_code=202)
async def append(submission: Submitting, name: str, body: AppendBody) -> Any:
    """Append a newer file to a dataset as a new version; the old one stays. Bars that both have and that differ need `overlap`."""

    def submit(desk: Here) -> Any:
        staged = desk.data.stage_upload(body.name, body.bytes(), unmapped=bool(body.mapping))
        staged = desk.mappings.apply(staged, body.mapping) if body.mapping else staged
        return desk.data.append(name, staged, body.overlap, body.clock, repair=body.repair, bar_time=body.bar_time)

    return await submission.submit(submit)


@router.post("/downloads", response_model=JobAnswer, status_code=202)
async def download(submission: Submitting, body: VendorBody) -> Any:
    """Download bars from a vendor; what is stored already is not requested again."""
    return await submission.submit(lambda desk: desk.downloads.submit(body.vendor, body.instrument, body.timeframe, utc(body.start), utc(body.end)))


@router.post("/synthetic", response_model=JobAnswer, status_code=202)
async def synthetic(submission: Submitting, body: SyntheticBody) -> Any:
    """Make bars; the same request makes the same bars."""
    return await submission.submit(lambda desk: desk.data.generate(body.model, body.params, body.instrument, body.timeframe, utc(body.start), utc(body.end), body.seed))


@router.get("", response_model=dict[str, list[Dataset]])
def datasets(desk: Here, instrument: str = "", timeframe: str = "") -> Any:
    """All stored bars."""
    datasets = [each for each in desk.data.catalogue() if instrument in ("", each.instrument) and timeframe in ("", each.timeframe)]
    return json_of(dict(items=[shown(each) for each in datasets]))


@router.get("/symbols")
def symbols(desk: Here) -> Response:
    """Instruments that have bars, with what is stored of each."""
    items: dict[str, list[dict[str, Any]]] = {}
    for each in desk.data.catalogue():
        items.setdefault(each.instrument, []).append(shown(each))
    return json_of(dict(items=[dict(symbol=symbol, datasets=datasets) for symbol, datasets in sorted(items.items())]))


@router.get("/instruments")
def instruments(desk: Here) -> Response:
    """The table of instruments: pip, lot, currencies, sessions."""
    return json_of(dict(items=[dict(name=name, **{field: value for field, value in plain(each).items() if field != "name"}) for name, each in desk.data.instruments().items()]))


@router.get("/instruments/{name}")
def instrument(desk: Here, name: str) -> Response:
    """An instrument with its versions, newest first; version 0 is as shipped."""
    return json_of(dict(name=name, version=desk.instruments.version(name), **{key: value for key, value in plain(desk.instruments.get(name)).items() if key != "name"}, history=plain(desk.instruments.history(name))))


@router.post("/instruments", status_code=201)
def add_instrument(desk: Here, body: NewInstrument) -> Response:
    """A new instrument, with the values of another where it has none of its own."""
    version = desk.instruments.add(body.name, body.like, body.values, body.why)
    return json_of(dict(name=body.name.strip(), version=version.version), 201)


@router.patch("/instruments/{name}")
def edit_instrument(desk: Here, name: str, body: InstrumentBody) -> Response:
    """A new version of an instrument; runs made before keep the version they used."""
    version = desk.instruments.edit(name, body.values, body.why)
    return json_of(dict(name=name, version=version.version))


@router.get("/mappings")
def mappings(desk: Here) -> Response:
    """Column mappings of files in no known format, by name."""
    return json_of(dict(items=[plain(each) for each in desk.mappings.list()]))


@router.get("/mappings/{name}")
def mapping(desk: Here, name: str) -> Response:
    """A column mapping."""
    return json_of(plain(desk.mappings.get(name)))


@router.put("/mappings/{name}")
def save_mapping(desk: Here, name: str, body: MappingBody) -> Response:
    """Save a column mapping under a name; one of that name is replaced."""
    return json_of(plain(desk.mappings.save(name, body.model_dump())))


@router.delete("/mappings/{name}")
def delete_mapping(desk: Here, name: str) -> Response:
    """Delete a column mapping; datasets imported by it keep it in their provenance."""
    desk.mappings.delete(name)
    return json_of(dict(deleted=name))


@router.get("/vendors")
def vendors(desk: Here) -> Response:
    """Vendors, what each needs, and whether it is available."""
    return json_of(dict(items=desk.downloads.vendors()))


@router.get("/symbols/{symbol}/latest")
def latest(desk: Here, symbol: str, timeframe: str = "") -> Response:
    """The last closed bar that is stored of an instrument, and its age in seconds."""
    datasets = [each for each in desk.data.catalogue() if each.instrument == symbol and timeframe in ("", each.timeframe)]
    if not datasets:
        raise Problem(404, f"no bars of {symbol[:40]}{' ' + timeframe[:8] if timeframe else ''} are stored; import or download some")
    newest = max(datasets, key=lambda each: each.last_ts)
    bar = plain(desk.data.bars(newest.id).tail(1))[0]
    return json_of(dict(symbol=symbol, timeframe=newest.timeframe, dataset=newest.id, bar=bar, age_seconds=(desk.jobs.now() - newest.last_ts).total_seconds()))


@router.get("/{name}", response_model=Dataset)
def dataset(desk: Here, name: str) -> Any:
    """One dataset with what was found about its quality, and where it came from."""
    datasets = desk.data.get(name)
    return json_of(dict(**shown(datasets), quality=datasets.quality, provenance=both_named(datasets.provenance), used_by=desk.data.used_by(datasets.id)))


@router.get("/{name}/bars", response_model=Table)
def bars(desk: Here, name: str, rows: Rows) -> Any:
    """Its bars, UTC, labelled by their start; prices of the dataset's side. JSON, or an Arrow stream."""
    return rows.of(desk.data.bars(name))


@router.delete("/{name}")
def delete(desk: Here, name: str, with_runs: Annotated[bool, Query(description="delete the runs that used it, too")] = False) -> Response:
    """Delete a dataset. Where runs used it, they go with it, and only where `with_runs` says so."""
    used = desk.data.used_by(desk.data.get(name).id)
    if used and not with_runs:
        raise Problem(409, f"{len(used)} run(s) used this dataset and would be deleted with it; ask again with with_runs=true", runs=used)
    gone, runs = desk.data.delete(name)
    return json_of(dict(deleted=gone.id, runs=runs))


def shown(dataset: Any) -> dict[str, Any]:
    return {**{name: plain(getattr(dataset, name)) for name in SHOWN}, "href": f"/api/v1/data/{dataset.id}"}
