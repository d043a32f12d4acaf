"""Vendors: what each is called, where it is reached and what it needs from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from domain.errors import BadRequest
from domain.registry import Registry


@dataclass(frozen=True)
class Need:
    """One environment variable a vendor cannot do without, and where a person gets what belongs into it."""

    variable: str
    what: str
    where: str


@dataclass(frozen=True)
class Vendor:
    """``url_variable`` names a double on this machine in place of ``url``; "" where there is no address to replace."""

    name: str
    title: str
    gives: str                          # one sentence: what comes from it, with its limits
    url: str = ""
    url_variable: str = ""
    needs: tuple[Need, ...] = ()
    pace: tuple[int, float] = (5, 1.0)  # most requests, in any so many seconds
    platform: str = ""                  # where its SDK runs at all: "win32"; "": everywhere
    kind: str = "bars"                  # bars, series, releases, headlines

    def address(self, environment: Mapping[str, str]) -> str:
        """Where it is reached: its own address, or that of a local double.

        >>> Vendor("a", "A", "", "https://a.example", "TIDEMARK_A_URL").address({"TIDEMARK_A_URL": "http://other.example"})
        Traceback (most recent call last):
        ...
        domain.errors.BadRequest: TIDEMARK_A_URL names other.example, which is not this machine; a double runs on 127.0.0.1, ::1 or localhost
        """
        override = environment.get(self.url_variable, "") if self.url_variable else ""
        return loopback(override, self.url_variable) if override else self.url

    def is_double(self, environment: Mapping[str, str]) -> bool:
        return bool(self.url_variable and environment.get(self.url_variable))

    def absent(self) -> str:
        """Why it cannot be reached from this machine whatever is set, as a sentence; "" where it can."""
        return ""

    def missing(self, environment: Mapping[str, str]) -> tuple[Need, ...]:
        """The variables that are not set."""
        return tuple(need for need in self.needs if not environment.get(need.variable))

    def require(self, environment: Mapping[str, str]) -> None:
        """BadRequest with a sentence for whatever it needs and has not.

        >>> Vendor("a", "A", "", needs=(Need("TIDEMARK_A_KEY", "a key", "on its website"),)).require({})
        Traceback (most recent call last):
        ...
        domain.errors.BadRequest: A needs a key in the environment variable TIDEMARK_A_KEY, which is not set; get it on its website, set it and start again
        """
        if sentence := self.absent():
            raise BadRequest(sentence)
        for need in self.missing(environment):
            raise BadRequest(
                f"{self.title} needs {need.what} in the environment variable {need.variable}, which is not set; "
                f"get it {need.where}, set it and start again"
            )


VENDORS: Registry[Vendor] = Registry("vendor")


def loopback(url: str, variable: str) -> str:
    """``url`` without a slash at its end, if it is HTTP on this machine; else BadRequest naming ``variable``.

    >>> loopback("http://127.0.0.1:8080/", "TIDEMARK_A_URL")
    'http://127.0.0.1:8080'
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise BadRequest(f"{variable} is not the address of a double; write it like http://127.0.0.1:8080, without a name or password")
    if host != "localhost" and not _is_loopback(host):
        raise BadRequest(f"{variable} names {host}, which is not this machine; a double runs on 127.0.0.1, ::1 or localhost")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
