"""The list of backtests: searched, tagged, marked as favourites, and deleted several at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import BadRequest
from worker.desk.backtests import Backtests
from worker.desk.context import DeskContext, required
from worker.store import Run
from worker.store.run_marks import RunQuery

KIND = "backtest"
LONGEST, MOST = 40, 20          # characters of a tag, tags of a run
AT_ONCE = 500                   # runs that are deleted at once


@dataclass(frozen=True)
class RunPage:
    """Newest first. ``tags`` and ``favourites`` are of these runs; ``last``: time and id of the last one, where more may follow; ``altered``: id -> what is wrong,
    of those that are not as they were recorded."""

    runs: Sequence[Run]
    tags: Mapping[str, Sequence[str]]
    favourites: frozenset[str]
    last: tuple[datetime, str] | None
    altered: Mapping[str, str]


class RunList:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def find(self, text: str = "", tags: Sequence[str] = (), favourites: bool = False, limit: int = 50, before: tuple[datetime, str] | None = None) -> RunPage:
        """Backtests that fit all of it: words in title, name, note or id, all of ``tags``, one's own favourites. ``before``: ``last`` of the page before."""
        with self._context.store.read() as unit:
            runs, altered, last = unit.runs.part([KIND], limit, before, query=self._query(text, tags, favourites))
            names = [run.id for run in runs]
            return RunPage(runs, unit.run_marks.tags_of(names), frozenset(unit.run_marks.favourites(names, self._context.user)), last, altered)

    def count(self, text: str = "", tags: Sequence[str] = (), favourites: bool = False) -> int:
        """How many fit."""
        with self._context.store.read() as unit:
            return unit.runs.count(KIND, self._query(text, tags, favourites))

    def tags(self) -> Mapping[str, int]:
        """Tag -> number of runs."""
        with self._context.store.read() as unit:
            return unit.run_marks.counts()

    def tags_of(self, run_id: str) -> list[str]:
        with self._context.store.read() as unit:
            return unit.run_marks.tags_of([run_id]).get(run_id, [])

    def is_favourite(self, run_id: str) -> bool:
        with self._context.store.read() as unit:
            return run_id in unit.run_marks.favourites([run_id], self._context.user)

    def set_tags(self, run_id: str, tags: Sequence[str]) -> list[str]:
        """The tags of a run are these from now on."""
        tags = _tags(tags)
        with self._context.store.unit() as unit:
            required(unit.runs.get(run_id), "run", run_id)
            before = unit.run_marks.tags_of([run_id]).get(run_id, [])
            if before != tags:
                unit.run_marks.set_tags(run_id, tags, self._context.user, unit.now())
                unit.audit(self._context.user, "run_tagged", f"run:{run_id}", tags=tags, before=before)
        return tags

    def add_tag(self, run_ids: Sequence[str], tag: str) -> int:
        """One more tag on several runs; how many they are."""
        for run_id in run_ids:
            self.set_tags(run_id, [*self.tags_of(run_id), tag])
        return len(run_ids)

    def set_favourite(self, run_id: str, favourite: bool = True) -> None:
        """Favourites are one's own."""
        with self._context.store.unit() as unit:
            required(unit.runs.get(run_id), "run", run_id)
            if (run_id in unit.run_marks.favourites([run_id], self._context.user)) != favourite:
                unit.run_marks.set_favourite(run_id, favourite, self._context.user, unit.now())
                unit.audit(self._context.user, "run_favoured", f"run:{run_id}", favourite=favourite)

    def delete(self, run_ids: Sequence[str]) -> int:
        """Delete several; each leaves the event that deleting it alone leaves. All of them or, where one is no longer there, none."""
        if len(run_ids) > AT_ONCE:
            raise BadRequest(f"{len(run_ids):,} runs are chosen; delete at most {AT_ONCE} at once")
        return len(Backtests(self._context).delete_all(list(dict.fromkeys(run_ids))))

    def _query(self, text: str, tags: Sequence[str], favourites: bool) -> RunQuery:
        return RunQuery(text.strip(), tuple(tags), self._context.user if favourites else "")


def _tags(tags: Sequence[str]) -> list[str]:
    cleaned = sorted({" ".join(tag.split()).casefold() for tag in tags if tag.strip()})
    if len(cleaned) > MOST:
        raise BadRequest(f"there are {len(cleaned)} tags; a run has at most {MOST}")
    for tag in cleaned:
        if len(tag) > LONGEST:
            raise BadRequest(f"the tag {tag[:LONGEST]}… has {len(tag)} characters; a tag has at most {LONGEST}")
    return cleaned
