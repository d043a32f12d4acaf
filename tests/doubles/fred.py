"""Double of FRED: days of publication and observations by real-time period, of the shape of its answers, with its limits and its words about a bad key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from tests.doubles.server import Double, HttpRequest, Reply, run

KEY = "0123456789abcdef0123456789abcdef"
MOST = 2_000            # publications of one request
LAST = "9999-12-31"
Vintage = tuple[str, str, str]      # date, published, value


class FredDouble(Double):
    """``series``: by id, every value that was ever published: (date, day of publication, value), a dot where there is none."""

    watched = "/fred/series/"

    def __init__(self, series: Mapping[str, Sequence[Vintage]], most_rows: int = 100_000) -> None:
        super().__init__()
        self.series, self._most = dict(series), most_rows

    def reply(self, requested: HttpRequest) -> Reply:
        query = requested.query
        if query.get("api_key") != KEY:
            return _bad("Bad Request.  The value for variable api_key is not registered.  Read https://fred.stlouisfed.org/docs/api/api_key.html for more information.")
        if query["series_id"] not in self.series:
            return _bad("Bad Request.  The series does not exist.")
        rows = self.series[query["series_id"]]
        publications = sorted({published for _, published, _ in rows})
        if requested.path == "/fred/series/vintagedates":
            return self._page(publications, "vintage_dates", query, {})
        start, end = query["realtime_start"], query["realtime_end"]
        if sum(start <= day <= end for day in publications) > MOST:
            return _bad(f"Bad Request.  There are more than {MOST} vintage dates in the real-time period.")
        of_day: dict[str, list[Vintage]] = {}
        for vintage in rows:
            of_day.setdefault(vintage[0], []).append(vintage)
        observations = [row for day in sorted(of_day) for row in _standing(of_day[day], start, end)]
        inside = [row for row in observations if query.get("observation_start", "") <= row["date"] <= query.get("observation_end", LAST)]
        return self._page(inside, "observations", query, dict(realtime_start=start, realtime_end=end, units="lin", output_type=1, file_type="json"))

    def _page(self, rows: Sequence[Any], name: str, query: Mapping[str, str], about: Mapping[str, Any]) -> Reply:
        offset, limit = int(query["offset"]), min(int(query["limit"]), self._most)
        return Reply(200, {**about, "count": len(rows), "offset": offset, "limit": limit, "sort_order": "asc", name: list(rows[offset : offset + limit])})


def _standing(vintages: Sequence[Vintage], start: str, end: str) -> list[dict[str, str]]:
    """The values of a date that stood in a period, each from when on and until when."""
    ordered = sorted(vintages, key=lambda row: row[1])
    until = [*(row[1] for row in ordered[1:]), LAST]
    return [
        dict(realtime_start=max(published, start), realtime_end=min(over, end), date=day, value=value)
        for (day, published, value), over in zip(ordered, until, strict=True)
        if published <= end and over > start
    ]  # fmt: skip


def _bad(message: str) -> Reply:
    return Reply(400, {"error_code": 400, "error_message": message})


def main() -> None:
    """Made-up US10Y and US_INFLATION of 2020 to 2024; a month's index is revised the month after."""
    days = [date(2020, 1, 1) + timedelta(days=k) for k in range(1_800)]
    yields = [(day.isoformat(), (day + timedelta(days=1)).isoformat(), f"{2 + k / 1_000:.2f}") for k, day in enumerate(days) if day.weekday() < 5]
    months = [(day, day + timedelta(days=43), 260 + k / 2) for k, day in enumerate(day for day in days if day.day == 1)]
    index = [(day.isoformat(), (out + timedelta(days=late)).isoformat(), f"{value + late / 100:.1f}") for day, out, value in months for late in (0, 30)]
    run(FredDouble({"DGS10": yields, "CPIAUCSL": index}), f"TIDEMARK_FRED_URL={{}} TIDEMARK_FRED_KEY={KEY}")


if __name__ == "__main__":
    main()
