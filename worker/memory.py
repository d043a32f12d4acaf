"""Keeps freed memory for the next computation."""

from __future__ import annotations

import ctypes
import gc
import sys

OFTEN = 20_000          # objects after which a process that holds many looks at the new ones; Python's default is 700
TRIM, PAD, APART = -1, -2, -3       # mallopt's numbers in glibc's malloc.h
KEPT, LARGEST, STEP = 256 << 20, 32 << 20, 64 << 20     # bytes


def keep_freed() -> bool:
    """Ask glibc to serve arrays of up to 32 MB from its own heap and to hold up to 256 MB of what was freed. By default it returns each large
    array to the system at once and takes it back page by page, which costs a sweep about a third of its time. False where there is no glibc."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(what, size) == 1 for what, size in ((TRIM, KEPT), (PAD, STEP), (APART, LARGEST)))


def keep_objects(thoroughly: bool) -> None:
    """What there is now is there to stay: it is not looked at when garbage is collected, which else takes longer the more is held, and stops everything
    meanwhile. ``thoroughly``: what was kept before and is garbage by now goes first."""
    if thoroughly:
        gc.unfreeze()
        gc.collect()
    gc.freeze()
    gc.set_threshold(OFTEN, 20, 20)
