"""Kinds of events that had another name in earlier releases. Stored rows are hashed, so they keep the name that they were recorded with."""

from __future__ import annotations

from collections.abc import Iterable

FORMER = {      # kind -> its name in earlier releases
    "audit_key_created": "audit_key_made", "dataset_unchanged": "dataset_known", "drift_detected": "drift_found", "example_created": "example_made",
    "history_unchanged": "history_known", "outside_unchanged": "outside_known",
}  # fmt: skip
_CURRENT = {former: kind for kind, former in FORMER.items()}


def current_kind(kind: str) -> str:
    """The name of today.

    >>> current_kind("drift_found"), current_kind("run_finished")
    ('drift_detected', 'run_finished')
    """
    return _CURRENT.get(kind, kind)


def either_name(kinds: Iterable[str]) -> tuple[str, ...]:
    """The kinds under the name of today and the former one, so that a filter finds the events of every release.

    >>> either_name(["drift_found", "run_finished"])
    ('drift_detected', 'drift_found', 'run_finished')
    """
    today = dict.fromkeys(current_kind(kind) for kind in kinds)
    return tuple(name for kind in today for name in (kind, FORMER.get(kind)) if name)
