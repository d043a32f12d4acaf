"""Every table. The migrations must create exactly these; a test compares them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

meta = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value if value is None else value.astimezone(UTC).replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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

runs = Table(
    "runs", meta,
    Column("id", String(16), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("job_id", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("manifest", JSON, nullable=False),               # what decided: data versions, code, parameters, seeds, libraries
    Column("summary", JSON, nullable=False),                # metrics, counts, a short curve
    Column("frames", JSON, nullable=False),                 # name -> content hash
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("example", Boolean, nullable=False),
    Column("synthetic", Boolean, nullable=False),
)  # fmt: skip

datasets = Table(
    "datasets", meta,
    Column("id", String(16), primary_key=True),
    Column("version", String(64), nullable=False, unique=True),  # hash of the content
    Column("instrument", String(32), nullable=False, index=True),
    Column("timeframe", String(8), nullable=False),
    Column("side", String(8), nullable=False),
    Column("source", Text, nullable=False),
    Column("clock", Text, nullable=False),
    Column("bars", Integer, nullable=False),
    Column("first_ts", Instant, nullable=False),
    Column("last_ts", Instant, nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("spread", Float),                                # median, price units
    Column("verdict", String(32), nullable=False),          # clean, repaired, synthetic
    Column("quality", JSON, nullable=False),
    Column("provenance", JSON, nullable=False),             # file, format, choices; or model and seed
    Column("frame", String(64), nullable=False),
    Column("ledger", String(64)),                           # frame of the rows that were dropped or merged
    Column("bytes", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("example", Boolean, nullable=False),
)  # fmt: skip

facts = Table(                                              # what the workspace remembers of itself
    "facts", meta,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
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

events = Table(                                             # append-only; see domain/audit
    "audit_events", meta,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("event_id", String(128), nullable=False, unique=True),
    Column("ts", String(32), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)  # fmt: skip

links = Table(                                              # the events of an entity
    "audit_links", meta,
    Column("entity", String(160), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("audit_events.seq"), primary_key=True),
)  # fmt: skip

nodes = Table(                                              # the full nodes of the Merkle tree above the events
    "audit_nodes", meta,
    Column("level", Integer, primary_key=True),
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("hash", String(64), nullable=False),
)  # fmt: skip

trials = Table(                                             # the ledger of all that was tried; append-only
    "trials", meta,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("kind", String(16), nullable=False),             # run, sweep, optuna, walk_forward, terminal, train, tune
    Column("data", String(64), nullable=False),             # hash of the datasets' versions
    Column("strategy", String(64), nullable=False),         # its family: the registered name
    Column("params", String(64), nullable=False),           # hash of the parameters
    Column("spec", String(64), nullable=False),             # hash of data, span, parameters and rules: the same one is the same trial
    Column("sharpe", Float),                                # daily, not annualised; empty: too few days
    Column("days", Integer, nullable=False),
    Column("job_id", String(16), nullable=False),
)  # fmt: skip

trial_datasets = Table(                                     # the datasets that a trial touched; append-only
    "trial_datasets", meta,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("version", String(64), primary_key=True),        # of the dataset
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

recipes = Table(                                            # sets of features that people named
    "recipes", meta,
    Column("name", String(64), primary_key=True),
    Column("columns", JSON, nullable=False),                # texts, as domain.features.parse reads them
    Column("note", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

cost_profiles = Table(                                      # trading costs that people named
    "cost_profiles", meta,
    Column("name", String(64), primary_key=True),
    Column("instruments", JSON, nullable=False),            # that it is for; none: for all
    Column("costs", JSON, nullable=False),                  # changed values of Costs
    Column("source", Text, nullable=False),
    Column("dated", String(10), nullable=False),            # the day that the numbers hold for, ISO
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

form_presets = Table(                                       # settings of the backtest form that people named
    "form_presets", meta,
    Column("name", String(64), primary_key=True),
    Column("settings", JSON, nullable=False),               # a backtest's spec without its data and period
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

column_mappings = Table(                                    # of files that no reader recognises, that people named
    "column_mappings", meta,
    Column("name", String(64), primary_key=True),
    Column("mapping", JSON, nullable=False),                # as domain.market.readers.mapping reads it
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

instrument_versions = Table(                                # instruments that people edited; append-only
    "instrument_versions", meta,
    Column("name", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("row", JSON, nullable=False),                    # the fields of domain.market.Instrument
    Column("why", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

rule_sets = Table(                                          # of compliance, that people edited; append-only
    "rule_sets", meta,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),                   # TOML, as domain.compliance reads it
    Column("digest", String(64), nullable=False),           # SHA-256 of the text
    Column("base", String(64), nullable=False),             # the preset that it began from
    Column("why", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retired", Boolean, nullable=False),             # this version takes the rule set off the lists
)  # fmt: skip

written_strategies = Table(                                 # that users wrote; append-only
    "written_strategies", meta,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),                   # JSON, as domain.strategies.definition reads it
    Column("digest", String(64), nullable=False),           # SHA-256 of the text
    Column("why", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retired", Boolean, nullable=False),             # this version takes the strategy off the lists
)  # fmt: skip

checkpoints = Table(                                        # signed size and root of the audit trail; append-only but for old heartbeats
    "checkpoints", meta,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("size", BigInteger().with_variant(Integer, "sqlite"), nullable=False, index=True),
    Column("root", String(64), nullable=False),
    Column("key", String(8), nullable=False),               # id of the key that signed it
    Column("heartbeat", Boolean, nullable=False),           # size, root and key are those of the row before: nothing happened meanwhile
    Column("note", Text, nullable=False),                   # the signed note
)  # fmt: skip

checkpoint_receipts = Table(                                # who received a checkpoint; append-only but for those of old heartbeats
    "checkpoint_receipts", meta,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("receiver", String(300), primary_key=True),      # file, or the address of a witness
    Column("state", String(16), primary_key=True),          # stored cosigned refused
    Column("at", Instant, nullable=False),
    Column("heartbeat", Boolean, nullable=False),
    Column("text", Text, nullable=False),                   # of a file its path, of a witness its signature line or why it refused
)  # fmt: skip

outside = Table(                                            # external data, a row an import: series, headlines, releases
    "outside", meta,
    Column("id", String(16), primary_key=True),
    Column("kind", String(16), nullable=False),             # series, headlines, releases
    Column("name", String(64), nullable=False),             # of a series: its name in the table; the newest row of a kind and name is the one in use
    Column("version", String(64), nullable=False, index=True),  # hash of kind, name and content
    Column("rows", Integer, nullable=False),
    Column("first_ts", Instant, nullable=False),
    Column("last_ts", Instant, nullable=False),
    Column("source", Text, nullable=False),                 # the file's own name
    Column("notes", JSON, nullable=False),                  # what was left out or put right, sentences
    Column("scorer", String(64), nullable=False),           # of headlines: what gave them their scores
    Column("frame", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("example", Boolean, nullable=False),
)  # fmt: skip

account_histories = Table(                                  # histories of accounts elsewhere, a row an import, to be judged by rules
    "account_histories", meta,
    Column("id", String(16), primary_key=True),
    Column("version", String(64), nullable=False, unique=True),  # hash of all that a verdict on it depends on
    Column("name", Text, nullable=False),
    Column("format", String(32), nullable=False),
    Column("source", Text, nullable=False),                 # the file's own name
    Column("file", String(64), nullable=False),             # SHA-256 of the file
    Column("account", String(64), nullable=False),
    Column("company", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("clock", Text, nullable=False),                  # of the file's times
    Column("initial", Float, nullable=False),               # balance at the start, account currency
    Column("balance", Float, nullable=False),               # at the end
    Column("trades", Integer, nullable=False),
    Column("flows", Integer, nullable=False),               # deposits and withdrawals after the start
    Column("first_ts", Instant, nullable=False),
    Column("last_ts", Instant, nullable=False),
    Column("knows", JSON, nullable=False),                  # what rules may use: balance, trades, equity, ...
    Column("findings", JSON, nullable=False),               # [{key, severity, sentence}, ...]
    Column("frames", JSON, nullable=False),                 # points, trades, flows and, where it was rebuilt from bars, rebuilt: content hashes
    Column("bytes", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("example", Boolean, nullable=False),
)  # fmt: skip

models = Table(                                             # versions of models under a name; append-only
    "models", meta,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("learner", String(64), nullable=False),
    Column("target", String(64), nullable=False),
    Column("run_id", String(16), nullable=False),           # the run that trained it; empty: trained on files
    Column("spec_hash", String(64), nullable=False),        # of the question
    Column("digest", String(64), nullable=False),           # of name, version, files and manifest
    Column("files", JSON, nullable=False),                  # name -> SHA-256
    Column("frames", JSON, nullable=False),                 # samples, folds, predictions -> content hash
    Column("manifest", JSON, nullable=False),               # data, code, parameters, seed, threads, libraries
    Column("scores", JSON, nullable=False),                 # the report: verdict, trials, control, scores, baselines
    Column("synthetic", Boolean, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name", "version", name="uq_models_name"),
)  # fmt: skip

model_stages = Table(                                       # where each version stands, the last row counts; append-only
    "model_stages", meta,
    Column("id", String(32), primary_key=True),             # model and number
    Column("model_id", String(16), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("stage", String(16), nullable=False),            # candidate, production, retired
    Column("at", Instant, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSON, nullable=False),               # the gates at that time
)  # fmt: skip

Index("ix_trial_datasets_version", trial_datasets.c.version)
Index("ix_audit_events_actor_seq", events.c.actor, events.c.seq)
Index("ix_audit_events_kind_seq", events.c.kind, events.c.seq)
Index("ix_audit_events_ts_kind_seq", events.c.ts, events.c.kind, events.c.seq)
Index("ix_audit_links_seq_entity", links.c.seq, links.c.entity)
Index("ix_outside_kind_name", outside.c.kind, outside.c.name)
Index("ix_trials_data_strategy", trials.c.data, trials.c.strategy)
Index("ix_runs_kind_created", runs.c.kind, runs.c.created_at)

order_intents = Table(                                      # orders that were about to be sent, and what is known of them
    "order_intents", meta,
    Column("account", String(64), primary_key=True),        # our name of it
    Column("client_id", String(64), primary_key=True),
    Column("details", JSON, nullable=False),                # the order; decimals and times as text
    Column("at", Instant, nullable=False),
    Column("mark", String(64), nullable=False),             # where the vendor's record stood before it was sent
    Column("state", String(16), nullable=False),            # intent, or the state of the ticket
    Column("broker_id", String(64), nullable=False),        # the vendor's id, empty until it is known
    Column("ticket", JSON),
    Index("ix_order_intents_broker_id", "account", "broker_id"),
)  # fmt: skip

sessions = Table(                                           # paper and broker accounts through time: what was requested, and how far their lives are
    "sessions", meta,
    Column("name", String(64), primary_key=True),
    Column("plan", JSON, nullable=False),                   # as domain.live reads it
    Column("source", JSON, nullable=False),                 # where bars come from: {"feed": name, ...}, see worker.sessions.feeds
    Column("broker", String(16), nullable=False),           # paper oanda mt5
    Column("mode", String(16), nullable=False),             # auto approve
    Column("state", String(16), nullable=False, index=True),  # ready running stopped finished error
    Column("note", Text, nullable=False),                   # why it is in that state, a sentence
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
)  # fmt: skip

session_states = Table(                                     # how far a session is: one row, rewritten with each commit
    "session_states", meta,
    Column("session", String(64), primary_key=True),
    Column("commits", BigInteger, nullable=False),          # so far; a commit has the next number
    Column("ts", BigInteger, nullable=False),               # the last instant worked, ns UTC; 0 before the first
    Column("bars", BigInteger, nullable=False),             # rows of the tape
    Column("state", LargeBinary),                           # as the session stores itself
    Column("opened", JSON, nullable=False),                 # bars that are open: {series: [ts, open, spread, end]}
    Column("rows", JSON, nullable=False),                   # outputs so far: {kind: last number}
    Column("view", JSON, nullable=False),                   # what page and terminal show, as of the last instant
    Column("feed", JSON, nullable=False),                   # how its feed is, now and then between instants
    Column("broker", JSON),                                 # of one whose fills are a broker's: its orders, and the book of the broker's side
    Column("at", Instant, nullable=False),                  # of the commit
)  # fmt: skip

session_tape = Table(                                       # bars as traded; append-only
    "session_tape", meta,
    Column("session", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),     # dense, from 1
    Column("series", String(48), nullable=False),           # EURUSD M5
    Column("ts", BigInteger, nullable=False),               # ns UTC
    Column("end", BigInteger, nullable=False),
    Column("open", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("close", Float, nullable=False),
    Column("volume", Float),                                # empty: not a number
    Column("spread", Float),
    Column("recovered", Boolean, nullable=False),           # from the vendor's candles, after a break
)  # fmt: skip

session_commands = Table(                                   # commands of people and of the program to a session; append-only but for how it was worked
    "session_commands", meta,
    Column("session", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),     # dense, from 1
    Column("key", String(128), nullable=False),             # a second command under one key is ignored
    Column("at", Instant, nullable=False),                  # when it was submitted
    Column("ts", BigInteger),                               # worked after the last instant up to then; empty: as soon as it is seen
    Column("who", String(128), nullable=False),
    Column("command", String(32), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("worked", BigInteger),                           # the ts under which it stands on the tape; empty until it is worked
    Column("answer", Text),                                 # empty, or why it was refused
    UniqueConstraint("session", "key", name="uq_session_commands_key"),
    Index("ix_session_commands_worked", "worked"),
)  # fmt: skip

session_rows = Table(                                       # what a session put out
    "session_rows", meta,
    Column("session", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),           # fills trades equity decisions proposals
    Column("number", BigInteger, primary_key=True, autoincrement=False),     # dense, from 1
    Column("ts", BigInteger, nullable=False),               # the instant, ns UTC
    Column("row", JSON, nullable=False),
)  # fmt: skip

session_halts = Table(                                      # the kill switch: latched until a person releases it
    "session_halts", meta,
    Column("id", String(16), primary_key=True),
    Column("session", String(64), nullable=False),          # empty: all of them
    Column("strategy", String(64), nullable=False),         # empty: all of the session
    Column("flatten", Boolean, nullable=False),
    Column("by_file", Boolean, nullable=False),             # by the file HALT
    Column("who", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("released_at", Instant),
    Column("released_by", String(128)),
    Column("release_reason", Text),
)  # fmt: skip

messages = Table(                                           # to be sent to people, written with what they tell of
    "messages", meta,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("key", String(160), nullable=False, unique=True),  # one message a key
    Column("severity", String(16), nullable=False),         # info warning critical
    Column("session", String(64), nullable=False),          # empty: of none
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

message_channels = Table(                                   # where messages are sent to: by a name that gives no address away
    "message_channels", meta,
    Column("name", String(64), primary_key=True),
    Column("after", BigInteger, nullable=False),            # messages up to this number were looked at
    Column("calls", BigInteger, nullable=False),            # made so far
    Column("recent", JSON, nullable=False),                 # when the last of them were, seconds since 1970
    Column("at", Instant, nullable=False),
)  # fmt: skip

message_sends = Table(                                      # how far each message is on each channel
    "message_sends", meta,
    Column("channel", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),     # of the message
    Column("state", String(16), nullable=False),            # waiting sent given_up
    Column("attempts", Integer, nullable=False),
    Column("call", BigInteger, nullable=False),             # the last call that had it; several messages of one call: a summary
    Column("begun_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_message_sends_next_at", "channel", "state", "next_at"),
    Index("ix_message_sends_call", "channel", "call"),
)  # fmt: skip

api_tokens = Table(                                         # of programs; the secret itself is shown once and kept nowhere
    "api_tokens", meta,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the secret
    Column("created_by", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    Column("owner", String(64)),                            # the user who made it while signed in; none: made in the terminal, or without sign-in
)  # fmt: skip

users = Table(                                              # people who may sign in; never deleted, as the trail names them
    "users", meta,
    Column("id", String(64), primary_key=True),             # the name that they sign in with
    Column("role", String(16), nullable=False),
    Column("password", Text, nullable=False),               # argon2id, with its parameters and salt; empty: none
    Column("email", String(254), nullable=False, index=True),   # by which a provider's account is matched the first time; empty: none
    Column("subject", String(512), unique=True),            # issuer and subject of that account, from then on
    Column("totp", String(64), nullable=False),             # key of the codes, sealed; empty: none are needed
    Column("totp_step", BigInteger, nullable=False),        # of the last code that was used: none before it is taken
    Column("totp_offered", String(64), nullable=False),     # a key that was shown and not yet confirmed
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("disabled_at", Instant),
)  # fmt: skip

user_sessions = Table(                                      # browsers in which people signed in
    "user_sessions", meta,
    Column("id", String(16), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id"), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the cookie
    Column("device", String(64), nullable=False, index=True),   # SHA-256 of the cookie that outlives the session: a browser that signed in before
    Column("how", String(16), nullable=False),              # password oidc
    Column("address", String(64), nullable=False),
    Column("agent", String(256), nullable=False),           # what the browser calls itself
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", String(128), nullable=False),
)  # fmt: skip

sign_in_failures = Table(                                   # counted by browser, by user and address, by user, and by address
    "sign_in_failures", meta,
    Column("key", String(64), primary_key=True),            # SHA-256 of what is counted
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    Column("locked_until", Instant),
)  # fmt: skip

approvals = Table(                                          # changes that a second person decides on
    "approvals", meta,
    Column("id", String(16), primary_key=True),
    Column("verb", String(64), nullable=False),             # part.method of the desk
    Column("arguments", JSON, nullable=False),
    Column("summary", Text, nullable=False),
    Column("requested_by", String(128), nullable=False),
    Column("person", String(128), nullable=False),          # whose request it is, where a program submitted it
    Column("role", String(16), nullable=False),
    Column("requested_at", Instant, nullable=False, index=True),
    Column("expires_at", Instant, nullable=False),
    Column("state", String(16), nullable=False, index=True),    # pending approved refused withdrawn
    Column("decided_by", String(128), nullable=False),
    Column("decided_at", Instant),
    Column("note", Text, nullable=False),
)  # fmt: skip

api_requests = Table(                                       # that named a key: each is answered once
    "api_requests", meta,
    Column("actor", String(128), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("digest", String(64), nullable=False),           # of method, address and body
    Column("status", Integer, nullable=False),              # 0 while it is being answered
    Column("headers", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
)  # fmt: skip

executions = Table(                                         # what external executors report to have done; append-only
    "executions", meta,
    Column("id", String(16), primary_key=True),
    Column("executor", String(128), nullable=False),        # who reported it
    Column("ticket", String(64), nullable=False),           # of the executor's broker: one report each
    Column("signal", String(160), nullable=False),          # the proposal that it names; empty: none
    Column("symbol", String(64), nullable=False),
    Column("action", String(16), nullable=False),           # buy sell close
    Column("lots", String(40), nullable=False),             # exact decimals, as reported
    Column("price", String(40), nullable=False),
    Column("profit", String(40), nullable=False),           # account currency; empty: not known yet
    Column("ts", Instant, nullable=False),                  # when it happened, by the executor
    Column("matched", Boolean, nullable=False),
    Column("reason", Text, nullable=False),                 # why it is matched to no proposal
    Column("at", Instant, nullable=False, index=True),      # when it was reported
    UniqueConstraint("executor", "ticket", "action"),
)  # fmt: skip

strategy_drafts = Table(                                    # strategies that are not understood: kept, never run
    "strategy_drafts", meta,
    Column("name", String(128), primary_key=True),
    Column("given", JSON, nullable=False),
    Column("sentence", Text, nullable=False),               # what is not understood
    Column("actor", String(128), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

trade_notes = Table(                                        # a trading journal: what people wrote about a trade, the last word on each
    "trade_notes", meta,
    Column("question", String(64), primary_key=True),       # spec hash of the run: the same question run again has the same notes
    Column("trade", Integer, primary_key=True, autoincrement=False),
    Column("run_id", String(16), nullable=False),           # where it was written
    Column("instrument", String(64), nullable=False),       # with side and opening: which trade it is about
    Column("side", String(8), nullable=False),
    Column("opened", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

run_tags = Table(                                           # what people sort runs by
    "run_tags", meta,
    Column("run_id", String(16), primary_key=True),
    Column("tag", String(40), primary_key=True),
    Column("actor", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_run_tags_tag", "tag"),
)  # fmt: skip

run_favourites = Table(                                     # of one person each
    "run_favourites", meta,
    Column("run_id", String(16), primary_key=True),
    Column("actor", String(128), primary_key=True),
    Column("at", Instant, nullable=False),
)  # fmt: skip
