"""Datasets, external data, histories of accounts elsewhere, and what people say of files and instruments."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from worker.store.schema.base import Instant, meta

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
Index("ix_outside_kind_name", outside.c.kind, outside.c.name)

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
