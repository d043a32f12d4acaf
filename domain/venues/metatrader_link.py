"""The way to a MetaTrader 5 terminal: its Python package, one call at a time, and what its errors mean."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from domain.errors import BadRequest, SourceUnavailable
from domain.trading.once import AnswerLost
from domain.venues.http import Connection, Refused, Transient
from domain.venues.metatrader_apart import Apart

LOGIN, PASSWORD, SERVER = "TIDEMARK_MT5_LOGIN", "TIDEMARK_MT5_PASSWORD", "TIDEMARK_MT5_SERVER"
SUCCESS, NOT_FOUND, AUTHORISATION = 1, -4, -6
FOR_GOOD = {-2, -5, -7, -8}             # arguments, versions, an unsupported function, trading by programs switched off
LINE = range(-10_005, -9_999)           # trouble between the package and the terminal: sign in again
LEAVES_WITHIN = 5.0     # seconds from its request to order_send: far less than the time within which a lost order is looked up
ONE_AT_A_TIME = threading.Lock()        # the package has one connection and one last error in a process


def absent() -> str:
    """Why there is no module MetaTrader5 here, as a sentence; "" where there is one. It is not loaded."""
    if find_spec("MetaTrader5") is not None:
        return ""
    if sys.platform == "win32":
        return "MetaTrader 5 needs the Python package MetaTrader5, which is not installed; run pip install MetaTrader5 and start again"
    return (
        "MetaTrader 5 is available on Windows only: its Python package talks to a terminal on the same machine, and this one runs "
        f"{sys.platform}. Run Tidemark on Windows beside the terminal, or export the bars there and import the file"
    )


def is_double() -> bool:
    """Whether the module is a double on this machine: MetaQuotes' own is a package with a compiled core, a double a single file. It is not loaded."""
    spec = find_spec("MetaTrader5")
    return spec is not None and spec.submodule_search_locations is None


@dataclass
class Way:
    """A module MetaTrader5 to call, one call at a time for whoever uses it, and how to end a call that hangs."""

    module: Any
    lock: threading.Lock = field(default_factory=threading.Lock)
    end: Callable[[], None] = lambda: None

    @classmethod
    def apart(cls) -> Way:
        """The package in a process of its own: it holds the interpreter while it waits."""
        module = Apart()
        return cls(module, end=module.end)


def way(purpose: str) -> Way:
    """The module for a purpose: MetaQuotes' own in a process for each, so that bars that load hold up no order; a double in this one. BadRequest where there is none."""
    if sentence := absent():
        raise BadRequest(sentence)
    if not is_double():
        return WAYS.setdefault(purpose, Way.apart())
    import MetaTrader5

    return Way(MetaTrader5, ONE_AT_A_TIME)


WAYS: dict[str, Way] = {}


class Sending:
    """Whether one order left: decided once between the thread that sends and the one that waits for it, so that an order
    nobody waits for any more does not leave late."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._lock, self._state, self._monotonic, self._latest = threading.Lock(), "waiting", monotonic, monotonic() + LEAVES_WITHIN

    def begin(self) -> bool:
        """It leaves now; False if it was given up, or had to wait so long that another process may take it for lost."""
        with self._lock:
            if self._state == "given up" or self._monotonic() > self._latest:
                return False
            self._state = "sent"
            return True

    def give_up(self) -> bool:
        """Whether it has left; if not, it never will."""
        with self._lock:
            if self._state != "sent":
                self._state = "given up"
            return self._state == "sent"


@dataclass
class Link:
    """One signed-in terminal. Calls go through ``connection``: timed, cancelled within a second, tried again where that can help."""

    connection: Connection = field(repr=False)
    purpose: str = "data"
    way: Way | None = field(default=None, repr=False)
    _signed_in: bool = field(default=False, repr=False)

    def ask(self, name: str, *args: Any, absent: Any = SUCCESS, **kwargs: Any) -> Any:
        """What the package's function ``name`` returns; ``absent`` where it says that there is no such thing.

        Without ``absent`` that is Refused. SourceUnavailable where the terminal did not answer.
        """
        return self.connection.call(lambda: self._call(name, args, kwargs, absent), deadline=2 * self.connection.timeout)

    def send(self, request: Mapping[str, Any]) -> Any:
        """The result of one ``order_send``. AnswerLost where it gave none; SourceUnavailable where nothing was sent."""
        sending = Sending(self.connection.clock.monotonic)
        try:
            return self.connection.call(lambda: self._call("order_send", (dict(request),), {}, SUCCESS, sending), tries=1, deadline=2 * self.connection.timeout)
        except SourceUnavailable as error:
            if not sending.give_up():
                raise
            raise AnswerLost(f"the terminal gave no answer to order_send ({error})") from None
        finally:
            sending.give_up()

    def _call(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], absent: Any, sending: Sending | None = None) -> Any:
        used = self.way or way(self.purpose)
        if not used.lock.acquire(timeout=self.connection.timeout):
            used.end()
            raise Transient("the terminal is still busy with an earlier call", sent=False)
        module = used.module
        try:
            self._sign_in(module)
            if sending is not None:
                self._check_account(module)
                if not sending.begin():
                    raise Transient("the terminal was busy for too long for this order", sent=False)
            value = getattr(module, name)(*args, **kwargs)
            if value is None or value is False:
                return self._nothing(module.last_error(), name, absent)
            return value
        finally:
            used.lock.release()

    def _sign_in(self, module: Any) -> None:
        if self._signed_in:
            return
        keys = self.connection.keys
        login = keys.get(LOGIN, "")
        if not login.isascii() or not login.isdigit():
            raise BadRequest(f"{LOGIN} is not the number of a MetaTrader 5 account; set it to digits alone")
        if not module.initialize(login=int(login), password=keys.get(PASSWORD, ""), server=keys.get(SERVER, ""), timeout=int(self.connection.timeout * 1000)):
            code, words = module.last_error()
            raise self.trouble(code, words, "initialize")
        self._signed_in = True

    def _check_account(self, module: Any) -> None:
        """Refuse to send an order to another account: a person may sign in to one in the terminal's window at any time."""
        info = module.account_info()
        if info is None or str(info.login) != self.connection.keys.get(LOGIN, "").lstrip("0"):
            raise Transient(f"the terminal is not signed in to the account that {LOGIN} names", sent=False)

    def _nothing(self, error: tuple[int, str], name: str, absent: Any) -> Any:
        """What no value means: an empty answer, no such thing, or trouble."""
        if error[0] == SUCCESS and name != "order_send":
            return ()
        if error[0] in (NOT_FOUND, -1) and absent is not SUCCESS:
            return absent
        raise self.trouble(error[0], error[1], name)

    def trouble(self, code: int, words: str, name: str) -> Refused | Transient:
        """What an error of the package means."""
        if code in LINE or code == AUTHORISATION:
            self._signed_in = False
        if code == AUTHORISATION:
            return Refused(f"the MetaTrader 5 terminal does not let us in ({words}); check {LOGIN}, {PASSWORD} and {SERVER}")
        if name != "order_send" and (code in FOR_GOOD or code == NOT_FOUND):
            return Refused(f"the MetaTrader 5 terminal refuses {name}: {words} ({code})")
        return Transient(f"the terminal did not answer {name}: {words} ({code})")
