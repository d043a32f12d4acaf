"""When a stored file was written, whatever file system says so."""

from __future__ import annotations

from typing import Any


def written_at(entry: dict[str, Any]) -> float:
    """POSIX seconds of an entry that fsspec lists; 0 where the file system does not say.

    >>> written_at(dict(mtime=3.5)), written_at({})
    (3.5, 0.0)
    """
    for key in ("mtime", "created", "LastModified", "last_modified"):
        if key in entry:
            value = entry[key]
            return value.timestamp() if hasattr(value, "timestamp") else float(value)
    return 0.0
