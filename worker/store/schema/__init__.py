"""Every table. The migrations must create exactly these; a test compares them."""

from __future__ import annotations

from worker.store.schema.base import Instant, meta
from worker.store.schema.data import account_histories, column_mappings, datasets, instrument_versions, outside
from worker.store.schema.messages import message_channels, message_sends, messages
from worker.store.schema.people import api_requests, api_tokens, approvals, sign_in_failures, user_sessions, users
from worker.store.schema.research import (
    cost_profiles,
    form_presets,
    model_stages,
    models,
    recipes,
    rule_sets,
    run_favourites,
    run_tags,
    runs,
    strategy_drafts,
    trade_notes,
    trial_datasets,
    trials,
    written_strategies,
)
from worker.store.schema.sessions import (
    executions,
    order_intents,
    session_commands,
    session_halts,
    session_rows,
    session_states,
    session_tape,
    sessions,
)
from worker.store.schema.trail import checkpoint_receipts, checkpoints, events, links, nodes
from worker.store.schema.work import chunks, facts, jobs, leases, processes

__all__ = [
    "Instant",
    "account_histories",
    "api_requests",
    "api_tokens",
    "approvals",
    "checkpoint_receipts",
    "checkpoints",
    "chunks",
    "column_mappings",
    "cost_profiles",
    "datasets",
    "events",
    "executions",
    "facts",
    "form_presets",
    "instrument_versions",
    "jobs",
    "leases",
    "links",
    "message_channels",
    "message_sends",
    "messages",
    "meta",
    "model_stages",
    "models",
    "nodes",
    "order_intents",
    "outside",
    "processes",
    "recipes",
    "rule_sets",
    "run_favourites",
    "run_tags",
    "runs",
    "session_commands",
    "session_halts",
    "session_rows",
    "session_states",
    "session_tape",
    "sessions",
    "sign_in_failures",
    "strategy_drafts",
    "trade_notes",
    "trial_datasets",
    "trials",
    "user_sessions",
    "users",
    "written_strategies",
]
