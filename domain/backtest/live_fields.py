"""Some fields of one record among many, read at once: a field of a numpy record costs as much alone as all of them do here."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

LETTERS = {"<i4": "i", "<i8": "q", "<f8": "d"}
Read = Callable[[np.ndarray, int], tuple[Any, ...]]


def reader(kind: np.dtype, names: Sequence[str]) -> Read:
    """What reads these fields of the record at a place of an array of ``kind``; one that is an array gives its numbers one after another.

    >>> table = np.array([(1, 2.5, (1.0, 2.0)), (2, 3.5, (3.0, 4.0))], [("number", "i4"), ("price", "f8"), ("target", "f8", 2)])
    >>> reader(table.dtype, ("target", "number"))(table, 1)
    (3.0, 4.0, 2)
    """
    given: Mapping[str, Any] = kind.fields or {}
    fields = {name: given[name] for name in names}
    in_place = sorted(names, key=lambda name: fields[name][1])
    text, at, places = "<", 0, dict[str, range]()
    for name in in_place:
        (own, start), count = fields[name][:2], fields[name][0].itemsize // fields[name][0].base.itemsize
        first = sum(map(len, places.values()))
        text, at, places[name] = f"{text}{start - at}x{count}{LETTERS[own.base.str]}", start + own.itemsize, range(first, first + count)
    unpack, order = struct.Struct(text).unpack_from, itemgetter(*(place for name in names for place in places[name]))
    size = kind.itemsize

    def read(table: np.ndarray, place: int) -> tuple[Any, ...]:
        values: tuple[Any, ...] = order(unpack(table, place * size))    # type: ignore[arg-type]
        return values

    return read
