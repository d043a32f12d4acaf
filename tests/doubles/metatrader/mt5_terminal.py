"""The terminal behind the double: its connection and its faults, over a market and an account."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any

from mt5_account import Account
from mt5_market import SUCCESS
from mt5_structures import TerminalInfo

NO_CONNECTION = (-10004, "No IPC connection")


class Terminal(Account):
    """One terminal, logged in to one account, as the package knows only one.

    ``faults`` maps a function's name to what its next calls do instead: a tuple ``(code, text)`` fails the call and is its
    last error; a number of seconds blocks it for so long, or until ``release`` is set, and it fails then. ``calls`` keeps every call's name and arguments.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """As new: nothing connected, no order, the broker's own quotes, no fault."""
        Account.__init__(self)
        self.running, self.connected = False, True
        self.credentials = {"login": 12345678, "password": "correct", "server": "Double-Demo"}
        self.faults: dict[str, deque[Any]] = {}
        self.release = threading.Event()
        self.calls: list[tuple[str, tuple, dict]] = []

    def fail(self, function: str, *outcomes: Any) -> None:
        """The next calls of ``function`` do these, one each."""
        self.faults.setdefault(function, deque()).extend(outcomes)

    def called(self, function: str) -> int:
        return sum(name == function for name, _, _ in self.calls)

    def initialize(self, path: str | None = None, *, login: int | None = None, password: str | None = None, server: str | None = None, timeout: int = 60_000, portable: bool = False) -> bool:
        self.running = login is None or self._authorised(login, password, server)
        return self.running

    def login(self, login: int, *, password: str | None = None, server: str | None = None, timeout: int = 60_000) -> bool:
        return self._authorised(login, password, server)

    def shutdown(self) -> None:
        self.running = False

    def version(self) -> tuple[int, int, str]:
        return (500, 5260, "1 Aug 2025")

    def last_error(self) -> tuple[int, str]:
        return self.error

    def terminal_info(self) -> TerminalInfo:
        flags = dict(community_account=False, community_connection=False, connected=self.connected, dlls_allowed=False, trade_allowed=True, tradeapi_disabled=False, email_enabled=False, ftp_enabled=False, notifications_enabled=False, mqid=False)
        numbers = dict(build=5260, maxbars=self.maxbars, codepage=1252, ping_last=30_000, community_balance=0.0, retransmission=0.0)
        return TerminalInfo(**flags, **numbers, company="Double Ltd", name="Double Terminal", language="English", path="C:\\Double", data_path="C:\\Double", commondata_path="C:\\Double")

    def _authorised(self, login: int, password: str | None, server: str | None) -> bool:
        fits = (login, password, server) == tuple(self.credentials.values())
        self.error = SUCCESS if fits else (-6, "Terminal: Authorization failed")
        return fits

    def offered(self, name: str) -> Callable[..., Any]:
        """The method as the package's function: counted, with its fault if there is one, and nothing without a connection."""
        @wraps(getattr(self, name))
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args, kwargs))
            fault = self.faults[name].popleft() if self.faults.get(name) else None
            if isinstance(fault, float):
                self.release.wait(fault)
                fault = (-10005, "IPC timeout")
            fault = fault or (self.gone if name not in {"shutdown", "last_error"} else None)
            if isinstance(fault, tuple) or (not self.running and name not in WITHOUT):
                self.error = fault or NO_CONNECTION
                return False if name in {"initialize", "login", "symbol_select"} else None
            self.error = self.error if name in {"last_error"} else SUCCESS
            return getattr(self, name)(*args, **kwargs)

        return call


WITHOUT = {"initialize", "shutdown", "last_error"}
