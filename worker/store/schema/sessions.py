"""Trading sessions, orders at a broker, and what external executors report."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, LargeBinary, String, Table, Text, UniqueConstraint

from worker.store.schema.base import Instant, meta

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
