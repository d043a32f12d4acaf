"""The files of a model: each by its SHA-256 in a manifest that carries its own, so that one changed byte anywhere is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from domain.audit.record import plain
from domain.errors import BadRequest
from domain.training.fitted_pipeline import EXPORTED, FittedPipeline, load_pipeline

MANIFEST = "manifest.json"
HASH = "sha256"


def model_files(pipeline: FittedPipeline, facts: Mapping[str, Any]) -> dict[str, bytes]:
    """``manifest.json``, ``pipeline.json``, the learner's files, and ``model.onnx`` where its operators exist. ``facts`` go into the manifest."""
    exported = pipeline.fitted.onnx()
    files = dict(sorted((pipeline.files() | ({EXPORTED: exported} if exported is not None else {})).items()))
    content = dict(facts) | dict(onnx=exported is not None, reproducible=pipeline.reproducible, files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    return {MANIFEST: _sealed(content), **files}


def manifest_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest, once every file has been seen to be what was written. Raises BadRequest naming the first that is not."""
    if MANIFEST not in files:
        raise BadRequest(f"the model has no {MANIFEST}; give a folder that tidemark train has written")
    manifest = _opened(files[MANIFEST])
    for name, expected in manifest["files"].items():
        if name not in files:
            raise BadRequest(f"the model lacks its file {name}; restore it, or train the model again")
        if (digest := hashlib.sha256(files[name]).hexdigest()) != expected:
            raise BadRequest(f"{name} of the model was changed: its SHA-256 is {digest[:12]}…, and {expected[:12]}… was written. Restore it, or train the model again")
    return manifest


def read_model(files: Mapping[str, bytes]) -> tuple[FittedPipeline, dict[str, Any]]:
    """The pipeline and its manifest; nothing of a changed file is ever loaded."""
    manifest = manifest_of(files)
    return load_pipeline({name: files[name] for name in manifest["files"]}), manifest


def _sealed(content: Mapping[str, Any]) -> bytes:
    """JSON whose last key is the SHA-256 of the text without it."""
    values = plain(dict(content))
    return _text(values | {HASH: hashlib.sha256(_text(values)).hexdigest()})


def _opened(data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data)
        content = {name: value for name, value in values.items() if name != HASH}
        same = _sealed(content) == data
    except (ValueError, AttributeError):
        same = False
    if not same:
        raise BadRequest(f"{MANIFEST} of the model was changed: its text is not the one whose SHA-256 it carries. Restore it, or train the model again")
    return content


def _text(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
