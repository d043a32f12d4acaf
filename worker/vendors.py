"""Vendors from this process: their variables of the environment, and connections with a real clock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from domain.venues.http import Clock, Connection, Pace
from domain.venues.vendor import Vendor

REAL = Clock(time.time_ns, time.monotonic, time.sleep)


def connection_to(
    vendor: Vendor, environment: Mapping[str, str], check: Callable[[], None] = lambda: None,
    notice: Callable[[str], None] = lambda sentence: None, clock: Clock = REAL,
) -> Connection:  # fmt: skip
    """A connection to ``vendor``, or to its double. ``environment``: ``Settings.vendors``. BadRequest where a variable
    that it needs is missing, or that of the double names another machine."""
    vendor.require(environment)
    keys = {need.variable: environment[need.variable] for need in vendor.needs}
    return Connection(
        vendor.title, vendor.address(environment), clock, random.Random().random, check, notice, keys,
        Pace(*vendor.pace), vendor.is_double(environment),
    )  # fmt: skip

