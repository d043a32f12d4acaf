"""One audit event, as the exact bytes that are hashed."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

GENESIS = hashlib.sha256(b"audit-genesis/v1").hexdigest()
LARGEST = 2**53 - 1
MOST_BYTES = 65_536
_HASH = re.compile(r"[0-9a-f]{64}")
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class AuditEvent:
    """Something that happened, in the past tense.

    ``entities``: what it is about as ``kind:id``, the main one first; ``detail``: facts about it.
    """

    event_id: str
    at: datetime
    actor: str
    kind: str
    entities: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> str:
        """The canonical text of this event.

        >>> event = AuditEvent("e1", datetime(2026, 11, 20, 14, 2, tzinfo=UTC), "ana", "run_finished", ("run:91d4",), {"net": 0.1})
        >>> event.body()
        '{"actor":"ana","detail":{"net":"0.1"},"entities":["run:91d4"],"event_id":"e1","kind":"run_finished","ts":"2026-11-20T14:02:00.000000Z"}'
        """
        document = dict(event_id=self.event_id, ts=instant(self.at), actor=self.actor, kind=self.kind, entities=list(self.entities), detail=plain(self.detail))
        text = canonical_text(document)
        if (size := len(text.encode())) > MOST_BYTES:
            raise ValueError(f"an audit event may hold {MOST_BYTES} bytes; {self.kind} has {size}. Keep large things as a frame and record its hash")
        return text


@dataclass(frozen=True)
class Record:
    """An event in its place in the chain, as it is stored. The columns repeat what the body says, for searching."""

    seq: int
    event_id: str
    ts: str
    actor: str
    kind: str
    body: str
    prev_hash: str
    hash: str


def instant(at: datetime) -> str:
    """UTC to the microsecond, of fixed width, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def is_hash(value: object) -> bool:
    """
    >>> is_hash(GENESIS), is_hash("zz"), is_hash(None), is_hash(GENESIS.upper())
    (True, False, False, False)
    """
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def chain_hash(seq: int, prev_hash: str, body: str) -> str:
    """SHA256(0x00 ‖ "audit/v1\\n" ‖ uint64be(seq) ‖ prev_hash ‖ body): a leaf hash of RFC 6962, section 2.1.

    >>> chain_hash(1, GENESIS, "{}")[:16]
    '97d6a48d99fa3fa9'
    """
    leaf = b"\x00audit/v1\n" + seq.to_bytes(8, "big") + bytes.fromhex(prev_hash) + body.encode()
    return hashlib.sha256(leaf).hexdigest()


def canonical(value: Any) -> bytes:
    """RFC 8785 canonical JSON of text, whole numbers, truths, lists and mappings; floats are refused.

    >>> canonical({"b": 1, "a": ["é", None, True]}).decode()
    '{"a":["é",null,true],"b":1}'
    """
    return _encoded(value).encode()


def canonical_text(value: Any) -> str:
    """The same as text, many times faster, of what ``plain`` leaves: whole numbers within bounds, no floats.

    The library's encoder sorts keys by code point; RFC 8785 by UTF-16 unit, which differs above U+D7FF alone.

    >>> canonical_text({"b": 1, "a": ["é", None]}), canonical_text({"\U0001d11e": 1, "\uff5e": 2}).index("\uff5e") > 2
    ('{"a":["é",null],"b":1}', True)
    """
    text = _ENCODER.encode(value)
    return text if text.isascii() or max(text) < "\ud800" else _encoded(value)


def _encoded(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(k)}:{_encoded(value[k])}" for k in sorted(value, key=_utf16)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_encoded, value)) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) <= LARGEST:
        return str(value)
    return _text(value)


def _utf16(key: Any) -> bytes:
    return key.encode("utf-16-be") if isinstance(key, str) else _text(key).encode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} {value!r} has no canonical form here; numbers with a fraction or past 2**53 are written as text")
    value.encode("utf-8")     # a lone surrogate has no canonical bytes
    return json.dumps(value, ensure_ascii=False)


def plain(value: Any) -> Any:
    """``value`` in the types that have canonical bytes: floats and decimals become decimal text, times ISO text.

    >>> plain({"a": 0.1, "b": float("nan"), "c": Decimal("1.50"), "d": (1, 2)})
    {'a': '0.1', 'b': None, 'c': '1.50', 'd': [1, 2]}
    """
    kind = type(value)      # most values are of these, and events have many
    if kind is str:
        return value.replace("\0", "\ufffd")      # PostgreSQL holds no NUL
    if kind is float:
        return repr(value) if math.isfinite(value) else None
    if kind is int and -LARGEST <= value <= LARGEST:
        return value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, bool) or value is None:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if hasattr(value, "item"):      # a numpy scalar
        value = value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, (Decimal, date, Path)):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written into an audit event")
