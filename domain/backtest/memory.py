"""Arrays reached by address, so that compiled functions pass one another a single record.

Passing arrays from function to function makes numba count references to each of them, at every call: on this kernel
that cost a thousand times the work. The arrays belong to the caller, who holds them in memory while the kernel runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from domain.compiled import compiled as compiled
from domain.compiled import entry as entry


def _pointer(context: Any, address: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


pointer: Any = intrinsic(_pointer)     # in compiled code: an address, as a pointer


def _prefetch(context: Any, address: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        i32 = cgutils.ir.IntType(32)
        fetch = cgutils.get_or_insert_function(builder.module, cgutils.ir.FunctionType(cgutils.ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32]), "llvm.prefetch.p0")
        builder.call(fetch, [builder.inttoptr(arguments[0], cgutils.voidptr_t), i32(0), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(types.int64), generate


prefetch: Any = intrinsic(_prefetch)   # in compiled code: begin to load the data at an address


def _loader(kind: Any) -> Any:
    """In compiled code: the element at a place that is 0 or more. Indexing an array lets compiled code look for a negative place each time."""

    def load(context: Any, address: Any, place: Any) -> Any:

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first = builder.inttoptr(arguments[0], context.get_data_type(kind).as_pointer())
            return builder.load(builder.gep(first, [arguments[1]]))

        return kind(types.int64, types.int64), generate

    return intrinsic(load)


f8_at: Any = _loader(types.float64)
i8_at: Any = _loader(types.int64)
i1_at: Any = _loader(types.int8)


@compiled
def f8(address):
    return carray(pointer(address), (1,), np.float64)


@compiled
def i8(address):
    return carray(pointer(address), (1,), np.int64)


@compiled
def i1(address):
    return carray(pointer(address), (1,), np.int8)


def address_of(array: np.ndarray) -> int:
    """The address of a contiguous array."""
    if not array.flags.c_contiguous:
        raise ValueError("the kernel reads contiguous arrays only")
    return array.ctypes.data
