"""Notifications: written with what they are about, sent by another process."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table, Text

from worker.store.schema.base import Instant, meta

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
