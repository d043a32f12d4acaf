"""Products of matrices summed in one order, whatever the number of processors."""

from __future__ import annotations

from typing import Any


def one_order() -> Any:
    """A block, or a decorator's call, in which the libraries of linear algebra use one thread: several split a sum by their number, and its last digits follow.

    >>> with one_order():
    ...     pass
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")


def openmp_threads() -> int:
    """How many threads a large fit of boosted trees is allowed here, once its library is loaded; the trees are the same with any number."""
    from threadpoolctl import threadpool_info

    return max((int(pool["num_threads"]) for pool in threadpool_info() if pool["user_api"] == "openmp"), default=1)
