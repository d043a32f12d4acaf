"""Failures to sign in: counted before the password is looked at, so that attempts side by side gain nothing.

A browser in which the user has signed in before has a count of its own: nobody else can lock it out. Any other attempt counts for user and address
together, for the user, and for the address.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, ip_address, ip_network

from worker.store import Unit

PAIR, WIDE = 5, 20                          # failures until a lock: of a browser or of a user at an address; of a user or of an address
FIRST, LAST = 60, 3600                      # seconds of the first lock, which doubles, and of the longest
FORGOTTEN = timedelta(hours=2)              # without a failure


@dataclass(frozen=True)
class Count:
    """What is counted, and how many failures lock it."""

    key: str
    limit: int


@dataclass(frozen=True)
class Locked:
    """``seconds``: until the next attempt."""

    seconds: int


def counts(name: str, address: str, device: str) -> tuple[Count, ...]:
    """``device``: the hash of a browser in which this user has signed in before, or nothing.

    >>> len(counts("ana", "10.0.0.1", "")), len(counts("ana", "10.0.0.1", "d")), counts("ana", "", "")[1].limit
    (3, 1, 20)
    """
    if device:
        return (_count(PAIR, "device", name, device),)
    network = network_of(address)
    return (_count(PAIR, "pair", name, network), _count(WIDE, "user", name), _count(WIDE, "address", network))


def network_of(address: str) -> str:
    """An address, of IPv6 the network that one customer has: its single addresses cost nothing.

    >>> network_of("10.0.0.1"), network_of("2001:db8:1:2:aaaa::1"), network_of("::ffff:10.0.0.1"), network_of("nowhere")
    ('10.0.0.1', '2001:db8:1:2::/64', '10.0.0.1', 'nowhere')
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return address
    return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))


def seconds_of(failures: int, limit: int) -> int:
    """How long the next attempt must wait after so many failures.

    >>> [seconds_of(count, 5) for count in (4, 5, 6, 7, 30)]
    [0, 60, 120, 240, 3600]
    """
    return 0 if failures < limit else min(FIRST * 2 ** min(failures - limit, 10), LAST)


def locked(unit: Unit, counted: tuple[Count, ...]) -> Locked | None:
    """Whether one of them is locked."""
    now = unit.now()
    until = unit.sign_in_failures.locked_until([each.key for each in counted], now)
    return Locked(max(int((until - now).total_seconds()) + 1, 1)) if until else None


def begin(unit: Unit, counted: tuple[Count, ...]) -> Locked | int:
    """Count the attempt as a failure until it succeeds: the seconds of the lock that this starts if it is one, or that it is locked already."""
    now, longest = unit.now(), 0
    if already := locked(unit, counted):
        return already
    for each in counted:
        if seconds := seconds_of(unit.sign_in_failures.count(each.key, now, FORGOTTEN), each.limit):
            unit.sign_in_failures.lock(each.key, now + timedelta(seconds=seconds))
            longest = max(longest, seconds)
    return longest


def succeeded(unit: Unit, counted: tuple[Count, ...]) -> None:
    """It was none: the narrow count begins anew, the wide ones lose this attempt."""
    unit.sign_in_failures.forget([each.key for each in counted if each.limit == PAIR])
    for each in counted:
        if each.limit == WIDE and unit.sign_in_failures.uncount(each.key) < each.limit:
            unit.sign_in_failures.lock(each.key, None)
    unit.sign_in_failures.forget_old(unit.now() - FORGOTTEN)


def _count(limit: int, *parts: str) -> Count:
    return Count(hashlib.sha256("\0".join(parts).encode()).hexdigest(), limit)
