"""Parts of every page: heading, sections, metrics, tables, downloads, jobs, empty states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from streamlit.errors import StreamlitDuplicateElementKey, StreamlitInvalidLayoutContextError

from app.kit import table_file
from app.kit.carried import carried
from app.kit.figures import DASH, clock, lasted, typeset
from app.kit.heads import with_whole_titles
from app.kit.rights import allowed
from app.kit.signed_out import signed_out
from app.kit.spool import spool
from app.kit.tables import with_minus
from app.kit.text import literal
from worker.desk import Desk, Refused, SecondPerson, SignedOut
from worker.desk.export import safe_cells

T = TypeVar("T")
EARLY = 0.15        # of what an attempt has to do: before it, its pace is no basis for the remaining time
SHORT = 3.0         # seconds, under which the pace is no basis either
STATES = {"queued": "gray", "running": "blue", "done": "gray", "failed": "red", "cancelled": "gray"}


def head(title: str, state: str = "", actions: Callable[[], None] | None = None) -> None:
    """Title and one sentence of state on the left, the page's actions on the right."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(title, anchor=False, width="content")
        if state:
            st.markdown(f":gray[{literal(state)}]", width="content")
        st.space("stretch")
        if actions:
            actions()


def history(run: Any) -> None:
    """Draw how many bars before its date range the run's features used."""
    if warm_up := run.summary.get("history"):
        st.caption(literal(warm_up["sentence"]))


def section(title: str, note: str = "") -> None:
    """A heading, and beside it the unit, date range and time zone of what follows."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.header(literal(title), anchor=False, width="content")
        if note:
            st.caption(literal(note), width="content")


def nothing(title: str, sentence: str, action: Callable[[], None] | None = None) -> None:
    """An empty state: what is missing, and how to get it."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.header(literal(title), anchor=False, width="content")
        st.caption(literal(sentence), width="content", text_alignment="center")
        if action:
            with st.container(horizontal=True, horizontal_alignment="center"):
                action()
        st.space("small")


def attempt(act: Callable[[], T]) -> T | None:
    """What ``act`` returns; where the desk refuses, None, and the refusal is shown as an error; where a second person is needed, what to do."""
    try:
        return act()
    except SecondPerson as kept:
        st.info(literal(typeset(str(kept))), icon=":material/group:")
        return None
    except SignedOut:
        signed_out()
        st.stop()
    except Refused as refusal:
        st.error(literal(typeset(str(refusal))), icon=":material/error:")
        return None


def go(page: str, **query: str | list[str]) -> None:
    """Open a page at an address; on the current page only the address changes."""
    if page == st.session_state["page"]:
        st.query_params.from_dict(query)
        st.rerun()
    st.switch_page(st.session_state["pages"][page], query_params=query)


def figures(rows: Sequence[tuple[str, str, str, str]], width: int = 108) -> None:
    """A row of metrics that reflows: label, value, note, definition."""
    with st.grid(len(rows), min_column_width=width, gap="xsmall"):
        for label, value, note, meaning in rows:
            st.metric(label, value, note, delta_color="off", delta_arrow="off", help=meaning or None)


def table(frame: pd.DataFrame, columns: dict[str, Any], alt: str, key: str | None = None, pick: bool = False, row_height: int = 28, height: Any = "auto", chosen: int | None = None) -> int | None:
    """A short table to read; with ``pick`` the position of the row that was clicked anywhere, or ticked, ``chosen`` before anyone did. It can be downloaded as CSV."""
    if pick and key and chosen is not None and key not in st.session_state:
        st.session_state[key] = {"selection": {"rows": [chosen]}}
    shown = _table(frame, columns, alt, key, row_height, height, ("single-row", "single-cell") if pick else ())
    if not pick:
        return None
    return _changed_last(f"picked-{key}", shown.selection.get("rows", []), shown.selection.get("cells", []))


def first_rows(frame: pd.DataFrame, alt: str, height: int) -> None:
    """Of a file that is being imported, under the names that it has there."""
    named = frame.rename(columns=str)
    table(named, {name: st.column_config.Column() for name in named}, alt, row_height=26, height=height)


def _changed_last(name: str, rows: list[int], cells: list[Any]) -> int | None:
    """The row that is ticked or whose cell is selected: whichever changed since the drawing before."""
    place = cells[0][0] if cells else None
    ticked = rows[0] if rows else None
    before = st.session_state.get(name, (None, None, None))
    if (ticked, place) != before[:2]:
        both = (place, ticked) if place != before[1] else (ticked, place)
        st.session_state[name] = before = (ticked, place, next((row for row in both if row is not None), None))
    return before[2]


def chosen_rows(frame: pd.DataFrame, columns: dict[str, Any], alt: str, key: str) -> list[int]:
    """A short table of which several rows are ticked: their positions."""
    return list(_table(frame, columns, alt, key, 28, "auto", ("multi-row",)).selection.rows)


def _table(frame: pd.DataFrame, columns: dict[str, Any], alt: str, key: str | None, row_height: int, height: Any, modes: Sequence[str]) -> Any:
    options: dict[str, Any] = dict(on_select="rerun", selection_mode=list(modes)) if modes else {}
    shown, config = with_minus(safe_cells(frame), with_whole_titles(columns))
    with st.container(gap=None):
        drawn = st.dataframe(shown, hide_index=True, row_height=row_height, column_config=config, column_order=list(config), alt=alt, key=key, height=height, placeholder=DASH, **options)
        if len(frame):
            file_button(alt, lambda desk, name: table_file.content(desk, frame, columns, name), "Download as CSV")
    return drawn


def file_button(alt: str, content: Callable[[Desk | None, str], bytes], about: str) -> None:
    """What a table or a chart shows as a file, among the buttons above it. Streamlit's own are hidden (style.py): the browser makes those files, past the audit trail and its checkpoint."""
    desk, name = st.session_state.get("desk"), table_file.file_name(alt)
    with suppress(StreamlitInvalidLayoutContextError):      # a form takes no such button; its page draws it below
        for number in count(1):         # tables of one description
            with suppress(StreamlitDuplicateElementKey):
                return download(f"Download CSV: {alt}", name, "text/csv", lambda: content(desk, name), f"table-file-{number}-{name}", about)


def download(label: str, name: str, mime: str, make: Callable[[], bytes], key: str, about: str = "", evidence: bool = False) -> None:
    """A button for a file that is created on request; nothing else on the page runs again. ``evidence``: it is a checkpoint, a key or a proof itself, and goes as it is."""
    download_file(label, name, mime, lambda path: _fill(path, make), key, about, evidence)


def download_file(label: str, name: str, mime: str, write: Callable[[Path], None], key: str, about: str = "", evidence: bool = False) -> None:
    """The same for a file that ``write`` fills part by part: Streamlit gets its ticket, and the server streams it from
    disk, with the trail's last checkpoint."""
    if not evidence:
        name, mime, write = carried.with_checkpoint(name, mime, write)
    st.download_button(
        label, data=lambda: spool().written(write, carried.header), file_name=name, mime=mime, key=key, on_click="ignore", icon=":material/download:", type="tertiary", help=about or None
    )


def _fill(path: Path, make: Callable[[], bytes]) -> None:
    path.write_bytes(make())


def job_panel(desk: Desk, job: Any) -> bool:
    """Draw a job until it ends, then run the page again; True while it has not succeeded.

    ``job`` is what the page read, so that its decisions and this panel agree.
    """
    if job.state == "done":
        return False
    if job.open:
        st.fragment(_running, run_every=1.0)(desk, job.id, job.title)
    elif job.state == "cancelled":
        _cancelled(desk, job)
    else:
        _failed(desk, job)
    return True


def _running(desk: Desk, job_id: str, what: str) -> None:
    job = desk.jobs.get(job_id)
    if job is None or not job.open:
        st.rerun()
        return
    now = desk.jobs.now()
    with st.container(border=True, key=f"job-{job_id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":blue[:material/progress_activity:] **{literal(what)}**", width="content")
            st.caption(literal(since(desk, job, now)), width="content")
            st.space("stretch")
            if st.button("Cancel", icon=":material/close:", key=f"cancel-{job_id}", **allowed(desk, "jobs.cancel", disabled=bool(job.cancelled_by))):
                desk.jobs.cancel(job_id)
                st.rerun()
        st.progress(job.progress)
        _stages(job)
        st.caption("You can leave this page; the job keeps running and its result appears in the list.")


def since(desk: Desk, job: Any, now: Any) -> str:
    """When an open job started, the time elapsed, and an estimate of the time remaining; its own estimate counts
    more."""
    if job.cancelled_by:
        return "cancelling…"
    if job.started_at is None:
        wait = desk.jobs.pulse()
        return job.note or ("waiting for a worker" if wait.workers else "no worker is running, so the job is queued: start Tidemark with make run")
    ran = (now - job.started_at).total_seconds()
    rest = remaining(job.progress, job.worked, job.carried)
    left = f" · about {lasted(rest)} remaining" if rest is not None and not job.note.endswith((" left", " remaining")) else ""
    began = clock(job.started_at, seconds=True)
    return f"started {began[11:] if job.started_at.date() == now.date() else began} UTC · {lasted(ran)} elapsed{left}"


def remaining(progress: float, worked: float, carried: float = 0.0) -> float | None:
    """Seconds that the rest of a job takes at the pace of the attempt that is at work, which began with ``carried`` done; None while that is no basis.
    Time without a worker counts for nothing.

    >>> remaining(0.5, 60.0), remaining(0.05, 120.0), remaining(0.5, 1.0), remaining(0.75, 60.0, 0.5), remaining(0.52, 60.0, 0.5)
    (60.0, None, None, 60.0, None)
    """
    own = progress - carried
    if worked < SHORT or own <= 0.0 or own < EARLY * (1.0 - carried):
        return None
    return worked / own * (1.0 - progress)


def _stages(job: Any) -> None:
    """Those of the attempt that is at work, with the seconds of each."""
    if not job.stages:
        return
    starts = [float(at) for _, at in job.stages] + [max(float(job.worked), float(job.stages[-1][1]))]
    with st.grid(6, min_column_width=120, gap="xsmall"):
        for number, (name, at) in enumerate(job.stages):
            last = number == len(job.stages) - 1
            icon = ":blue[:material/more_horiz:]" if last else ":green[:material/check:]"
            st.caption(f"{icon} {literal(name)}  \n{literal(job.note) if last and job.note != name else lasted(starts[number + 1] - float(at))}")


def _cancelled(desk: Desk, job: Any) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            left = desk.jobs.left(job)
            st.markdown(f":gray[:material/block:] **{literal(job.title)} was cancelled** after {lasted(desk.jobs.seconds(job))}. {left.sentence}", width="content")
            st.space("stretch")
            _again(desk, job, "Resume" if left.resumes else "Run again")


def _failed(desk: Desk, job: Any) -> None:
    error = job.error or {}
    bug = error.get("fault") == "bug"
    text = failure(error)
    st.error(literal(text), title="Internal error" if bug else f"{literal(job.title)} failed", icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        _again(desk, job, "Try again")
        st.caption(f"Job {job.id} · failed after {lasted(desk.jobs.seconds(job))} · {desk.jobs.left(job).sentence}", width="content")


def failure(error: Any) -> str:
    """Why a job failed, in a sentence.

    >>> failure({"sentence": "the file is empty"}), failure({"fault": "bug", "id": "3fa1", "sentence": "Internal error."})
    ('The file is empty.', 'The details are in the log, under the id 3fa1.')
    """
    if error.get("fault") == "bug":
        return f"The details are in the log, under the id {error.get('id', '—')}."
    return typeset(str(error.get("sentence", "")) or "no reason was recorded") + (f" Id {error['id']}." if error.get("id") else "")


def _again(desk: Desk, job: Any, label: str) -> None:
    if st.button(label, icon=":material/replay:", key=f"again-{job.id}", **allowed(desk, "jobs.retry")):
        desk.jobs.retry(job.id)
        st.rerun()
