"""Jobs, their parts, the processes that work on them, and what the workspace remembers of itself."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Integer, String, Table, Text

from worker.store.schema.base import Instant, meta

jobs = Table(
    "jobs", meta,
    Column("id", String(16), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("queue", String(32), nullable=False),
    Column("title", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("key", String(128), unique=True),                # one live or finished job per key; freed when it fails or is cancelled
    Column("state", String(16), nullable=False, index=True),  # queued running done failed cancelled
    Column("progress", Float, nullable=False),              # share, 0 to 1
    Column("note", Text, nullable=False),
    Column("stages", JSON, nullable=False),                 # [[name, seconds since the start], ...]
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("not_before", Instant),                          # a retry waits until then
    Column("sent_at", Instant),                             # when a message was last sent
    Column("owner", String(128)),                           # see worker.owner
    Column("beats", Integer, nullable=False, server_default="0"),   # heartbeats of its worker; a counter that does not change means a dead worker
    Column("epoch", Integer, nullable=False),               # the fencing token: how often it was claimed
    Column("deaths", Integer, nullable=False),              # how often its worker died under it
    Column("attempts", Integer, nullable=False),            # failures of the outside world so far
    Column("cancelled_by", String(128)),
    Column("dismissed_by", String(128)),                    # who does not want to be reminded of a failed or cancelled one
    Column("checkpoint", JSON),
    Column("result", JSON),
    Column("worked", Float, nullable=False, server_default="0"),    # seconds that the present attempt has been at work, as of its last heartbeat
    Column("carried", Float, nullable=False, server_default="0"),   # share of the progress that is of earlier attempts
    Column("live", JSON),                                   # what a running job shows of itself, a curve of at most 200 points
    Column("error", JSON),                                  # {fault, sentence, id}
    Column("example", Boolean, nullable=False),
)  # fmt: skip

chunks = Table(                                             # the parts of a job that several workers share, until it is done
    "chunks", meta,
    Column("job_id", String(16), primary_key=True),         # of the job that is shared
    Column("number", Integer, primary_key=True),
    Column("units", Integer, nullable=False),               # how much work it is, for progress
    Column("spec", JSON, nullable=False),
    Column("holder", String(64)),                           # job and attempt that work on it, as long as that attempt is running
    Column("frames", JSON),                                 # name -> content hash; filled when it is done
    Column("result", JSON),
    Column("done_at", Instant),
)  # fmt: skip

leases = Table(                                             # of long-lived processes; those of jobs are in the rows of jobs
    "leases", meta,
    Column("name", String(160), primary_key=True),
    Column("owner", String(128)),
    Column("epoch", Integer, nullable=False),               # the fencing token: how often it was taken
    Column("beats", Integer, nullable=False),
)  # fmt: skip

processes = Table(                                          # heartbeats of workers, scheduler and app
    "processes", meta,
    Column("id", String(128), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("host", String(128), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("doing", Text, nullable=False),
)  # fmt: skip

facts = Table(                                              # what the workspace remembers of itself
    "facts", meta,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)  # fmt: skip
