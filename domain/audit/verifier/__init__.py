"""The verifier that travels with each bundle and asks for nothing but Python: its text and its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

FILE = Path(__file__).with_name("verify.py")


def text() -> bytes:
    """The verifier as it stands in a bundle."""
    return FILE.read_bytes()


def fingerprint() -> str:
    """SHA-256 of the verifier, in hex, to compare with the one that a release names."""
    return hashlib.sha256(text()).hexdigest()
