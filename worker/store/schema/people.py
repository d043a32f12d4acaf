"""Who may do what: people, their browsers, tokens of programs, requests, approvals."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, Table, Text

from worker.store.schema.base import Instant, meta

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
