"""What is sent of a message: a title, its text, and the head of the audit trail as it is when it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from worker.severities import SEVERITIES
from worker.store import Unit
from worker.store.messages import WrittenMessage

LISTED = 10         # messages that a summary quotes
LONGEST = 200       # letters of each


@dataclass(frozen=True)
class Letter:
    """What goes to a channel. ``severity``: the highest among its messages."""

    title: str
    body: str
    severity: str


def letter_of(messages: Sequence[WrittenMessage], head: str) -> Letter:
    """One message as it is, several as one summary; ``head`` is the last paragraph."""
    if len(messages) == 1:
        (message,) = messages
        about = f"Message {message.number}, {message.at:%Y-%m-%d %H:%M:%S} UTC"
        return Letter(f"Tidemark: {message.severity}", f"{message.text}\n\n{about}\n{head}", message.severity)
    severity = max((message.severity for message in messages), key=SEVERITIES.index)
    return Letter(f"Tidemark: {len(messages):,} more messages", f"{summary_of(messages)}\n\n{head}", severity)


def summary_of(messages: Sequence[WrittenMessage]) -> str:
    """How many of each severity, and the first of the most severe.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 8, 3, tzinfo=UTC)
    >>> print(summary_of([WrittenMessage(n, f"k{n}", "info", "", f"Fill {n}.", at) for n in range(1, 13)]))
    12 info, messages 1 to 12:
    Fill 1.
    Fill 2.
    Fill 3.
    Fill 4.
    Fill 5.
    Fill 6.
    Fill 7.
    Fill 8.
    Fill 9.
    Fill 10.
    and 2 more
    """
    counts = Counter(message.severity for message in messages)
    many = ", ".join(f"{counts[severity]:,} {severity}" for severity in reversed(SEVERITIES) if counts[severity])
    numbers = [message.number for message in messages]
    first = sorted(messages, key=lambda message: (-SEVERITIES.index(message.severity), message.number))[:LISTED]
    lines = [f"{many}, messages {min(numbers)} to {max(numbers)}:", *(message.text[:LONGEST] for message in first)]
    return "\n".join([*lines, *([f"and {len(messages) - LISTED:,} more"] if len(messages) > LISTED else [])])


def head_of(unit: Unit, fingerprint: str = "") -> str:
    """The trail's head, its key's fingerprint and its last checkpoint, signed, as ``verify.py --checkpoint`` takes it: evidence that leaves the system with every message."""
    rows, digest = unit.trail.head()
    lines = [f"Audit trail: {rows:,} events, head {digest}", *([f"Key: {fingerprint}"] if fingerprint else [])]
    if latest := unit.checkpoints.latest():
        lines += [f"Checkpoint of {latest.size:,} events, signed:", "", latest.note.rstrip("\n")]
    return "\n".join(lines)
