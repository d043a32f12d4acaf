"""Files of a fitted model: text and plain arrays, sealed by hashes, so that a wrong or damaged one is refused before anything reads it.

``learner.json`` says which learner, what columns and outputs, and the SHA-256 of each other file and of itself. Nothing in them runs.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.errors import BadRequest
from domain.models.base import LEARNERS, Fitted

SHEET = "learner.json"
FORMAT = 1
Files = Mapping[str, bytes]


def sealed(learner: str, facts: Mapping[str, Any], parts: Files | None = None) -> dict[str, bytes]:
    """``facts`` (plain JSON) as ``learner.json`` beside ``parts``, with the SHA-256 of each.

    >>> files = sealed("prior", dict(columns=2, outputs=["p"], values=[0.25]))
    >>> opened(files, "prior")["values"]
    [0.25]
    >>> opened({"learner.json": files["learner.json"].replace(b"0.25", b"0.75")}, "prior")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: learner.json of this prior is not the file that was saved: a byte of it differs; take the model from where it was exported
    """
    parts = dict(parts or {})
    sheet = dict(facts, format=FORMAT, learner=learner, sha256={name: sha256(data) for name, data in sorted(parts.items())})
    sheet["seal"] = sha256(_canonical(sheet))
    return {SHEET: _canonical(sheet), **parts}


def opened(files: Files, *learners: str) -> dict[str, Any]:
    """The facts of a model of one of these learners, once every file has been found to be the one that was saved."""
    sheet = _sheet(files)
    learner = sheet["learner"]
    if learner not in learners:
        raise BadRequest(f"this is a model of {learner!r}, not of {' or '.join(learners)}; load it by its own learner")
    seal = sheet.pop("seal", None)
    if seal != sha256(_canonical(sheet)):
        raise _damaged(SHEET, learner)
    if sheet.get("format") != FORMAT:
        raise BadRequest(f"this {learner} has format {sheet.get('format')}, this version reads {FORMAT}; train it again")
    for name, expected in sheet["sha256"].items():
        if name not in files:
            raise BadRequest(f"{name} of this {learner} is missing; take the model from where it was exported")
        if sha256(files[name]) != expected:
            raise _damaged(name, learner)
    return sheet


def load(files: Files) -> Fitted:
    """The fitted model in these files, by the learner that they name."""
    return sys.modules[LEARNERS[_sheet(files)["learner"]].__module__].load(files)


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as safetensors.

    >>> unpacked(packed(dict(a=np.arange(3.0))))["a"].tolist()
    [0.0, 1.0, 2.0]
    """
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def unpacked(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of safetensors; anything else is refused."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as read

    try:
        return read(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise BadRequest(f"these {len(data)} bytes are no safetensors ({error}); take the model from where it was exported") from None


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sheet(files: Files) -> dict[str, Any]:
    try:
        sheet = json.loads(files[SHEET])
        named = isinstance(sheet["learner"], str) and isinstance(sheet["sha256"], dict)
    except (KeyError, TypeError, ValueError):
        raise BadRequest(f"these files are no model: {SHEET} is missing or cannot be read; there are {', '.join(sorted(files)) or 'none'}") from None
    if not named:
        raise BadRequest(f"these files are no model: {SHEET} names no learner")
    return sheet


def _damaged(name: str, learner: str) -> BadRequest:
    return BadRequest(f"{name} of this {learner} is not the file that was saved: a byte of it differs; take the model from where it was exported")


def _canonical(sheet: Mapping[str, Any]) -> bytes:
    return json.dumps(sheet, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
