"""Answers of vendors on this machine: a page that came is not requested again by a download that goes on, or begins again."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import pandas as pd

from domain.audit import canonical, plain
from domain.market.source import Missing, Page, Span

LASTS = 86_400.0        # seconds; after a day a vendor may have revised it
HEAD = 64               # letters of the hash of what follows


class Answers:
    """Pages by the hash of the request, a file each in ``folder``. Any file may vanish at any time: its page is requested again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str, span: Span) -> Page | None:
        """The page, if it came within the last day and its file is whole."""
        path = self._path(key)
        try:
            if time.time() - path.stat().st_mtime > LASTS:
                return None
            content = path.read_bytes()
        except OSError:
            return None
        head, rest = content[:HEAD], content[HEAD:]
        if hashlib.sha256(rest).hexdigest().encode() != head:
            return None
        about, _, table = rest.partition(b"\n")
        facts = json.loads(about)
        missing = (Missing(Span(*each["span"]), each["reason"], each["sentence"]) for each in facts["missing"])
        return Page(span, pd.read_parquet(io.BytesIO(table)), tuple(missing), tuple(facts["notes"]))

    def put(self, key: str, page: Page) -> None:
        """Keep a page; a full disk costs the copy, not the download. One with a hole that may be filled later is not kept."""
        if any(each.reason in ("failed", "empty") for each in page.missing):
            return
        missing = [dict(span=[each.span.start, each.span.end], reason=each.reason, sentence=each.sentence) for each in page.missing]
        table = io.BytesIO()
        page.bars.to_parquet(table, index=False, compression="zstd")
        rest = json.dumps(dict(missing=missing, notes=list(page.notes))).encode() + b"\n" + table.getvalue()
        path = self._path(key)
        beside = path.with_name(f"{uuid.uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(hashlib.sha256(rest).hexdigest().encode() + rest)
            os.replace(beside, path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete what is too old to be used."""
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > LASTS:
                    path.unlink()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


def answer_key(**request: Any) -> str:
    """The hash of the request; no secret is part of it."""
    return hashlib.sha256(canonical(plain(request))).hexdigest()
