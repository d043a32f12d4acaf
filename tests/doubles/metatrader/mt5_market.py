"""The market side of the double: server clock, symbols, quotes, bars made of minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

import numpy as np
from mt5_constants import VALUES
from mt5_structures import RATES, TEXTS, TICKS, SymbolInfo, Tick

MINUTES = {"M1": 1, "M2": 2, "M3": 3, "M4": 4, "M5": 5, "M6": 6, "M10": 10, "M12": 12, "M15": 15, "M20": 20, "M30": 30, "H1": 60, "H2": 120, "H3": 180, "H4": 240, "H6": 360, "H8": 480, "H12": 720, "D1": 1440}
LENGTHS = {VALUES[f"TIMEFRAME_{name}"]: minutes * 60 for name, minutes in MINUTES.items()}
SUCCESS = (1, "Success")
NOT_FOUND, CALL_FAILED, INVALID = (-4, "Terminal: Not found"), (-1, "Terminal: Call failed"), (-2, "Terminal: Invalid params")


@dataclass(frozen=True)
class ServerClock:
    """A server's wall clock: ``zone``'s, ``hours`` ahead, and ``skew`` seconds wrong."""

    zone: str = "America/New_York"
    hours: int = 7
    skew: float = 0.0

    def offset(self, utc: float) -> float:
        shift = datetime.fromtimestamp(utc, UTC).astimezone(ZoneInfo(self.zone)).utcoffset()
        return shift.total_seconds() + self.hours * 3600 + self.skew

    def offsets(self, utc: np.ndarray) -> np.ndarray:
        """Whole seconds for whole seconds: a zone changes at whole hours only."""
        hours, which = np.unique(utc // 3600, return_inverse=True)
        return np.array([self.offset(int(hour) * 3600) for hour in hours], np.int64)[which] if len(utc) else utc


@dataclass(frozen=True)
class Symbol:
    """What a broker says about a symbol; prices in quote currency, volumes in lots."""

    name: str
    digits: int
    base: str
    profit: str
    contract: float = 100_000.0
    price: float = 1.1
    points: int = 10            # the usual spread
    volume_min: float = 0.01
    volume_max: float = 500.0
    volume_step: float = 0.01
    stops_level: int = 0
    filling: int = 3            # SYMBOL_FILLING_FOK 1, IOC 2
    execution: int = VALUES["SYMBOL_TRADE_EXECUTION_MARKET"]
    path: str = "Forex"

    @property
    def point(self) -> float:
        return round(10.0**-self.digits, self.digits)


SYMBOLS = (
    Symbol("EURUSD", 5, "EUR", "USD"),
    Symbol("GBPUSD", 5, "GBP", "USD", price=1.3),
    Symbol("USDJPY", 3, "USD", "JPY", price=150.0),
    Symbol("XAUUSD", 2, "XAU", "USD", contract=100.0, price=2400.0, points=25, path="Metals"),
)


class Market:
    """Symbols, their minutes and their last quotes. ``now`` gives seconds UTC; everything that leaves is on the server's clock."""

    def __init__(self) -> None:
        self.now: Callable[[], float] = time.time
        self.clock = ServerClock()
        self.symbols: dict[str, Symbol] = {symbol.name: symbol for symbol in SYMBOLS}
        self.selected = {"EURUSD", "GBPUSD", "USDJPY"}
        self.loaded: dict[tuple[str, int], np.ndarray] = {}         # rates in UTC seconds
        self.quotes: dict[str, list[tuple[float, float, float]]] = {}   # (utc, bid, ask)
        self.frozen = False             # the server's heartbeat goes on, its prices do not
        self.maxbars = 100_000
        self.downloading: dict[str, int] = {}   # so many calls of a function give only the newest half of the history
        self.error = SUCCESS

    def load(self, symbol: str, timeframe: str, utc: np.ndarray, **columns: np.ndarray) -> None:
        """Bars that the broker has: opens in seconds UTC, open, high, low, close and, if any, tick_volume and spread in points."""
        rates = np.zeros(len(utc), RATES)
        rates["time"] = utc
        for name, values in columns.items():
            rates[name] = values
        self.loaded[symbol, LENGTHS[VALUES[f"TIMEFRAME_{timeframe}"]]] = rates

    def quote(self, symbol: str, bid: float, ask: float) -> None:
        """A new quote, now."""
        if not self.frozen:
            self.quotes.setdefault(symbol, []).append((self.now(), bid, ask))

    def server_time(self, utc: float) -> float:
        return utc + self.clock.offset(utc)

    def rates(self, name: str, length: int) -> np.ndarray:
        """Bars of ``length`` seconds on the server's clock that have begun; the one that has not ended shows its first tick alone."""
        base = self._base(name, length)
        rates = base.copy()
        rates["time"] += self.clock.offsets(base["time"])
        now = self.server_time(self.now())
        finest = min((seconds for symbol, seconds in self.loaded if symbol == name), default=60)
        if (name, length) not in self.loaded:
            rates = together(rates[rates["time"] + finest <= now], length)
        rates = rates[rates["time"] <= now]
        if len(rates) and rates["time"][-1] + length > now:
            for column in ("high", "low", "close"):
                rates[column][-1] = rates["open"][-1]
            rates["tick_volume"][-1] = 1
        return rates[-self.maxbars :]

    def _base(self, name: str, length: int) -> np.ndarray:
        """The bars of that length, or the finest that there are."""
        if (name, length) in self.loaded:
            return self.loaded[name, length]
        finer = sorted(seconds for symbol, seconds in self.loaded if symbol == name)
        if not finer:
            self.loaded[name, 60] = built_minutes(self.symbols[name], self.now())
            finer = [60]
        return self.loaded[name, finer[0]]

    def last_quote(self, name: str) -> tuple[float, float, float]:
        if name in self.quotes:
            return self.quotes[name][-1]
        symbol, base = self.symbols[name], self._base(name, 60)
        known = base[base["time"] + 60 <= self.now()]
        bid = float(known["close"][-1]) if len(known) else symbol.price
        at = float(known["time"][-1]) + 59 if len(known) else self.now()
        return at, bid, round(bid + symbol.points * symbol.point, symbol.digits)

    # the package's functions

    def symbols_total(self) -> int:
        return len(self.symbols)

    def symbols_get(self, *_: object, group: str | None = None) -> tuple[SymbolInfo, ...] | None:
        return tuple(self.symbol_info(name) for name in self.symbols if group is None or in_group(name, group))

    def symbol_select(self, symbol: str, enable: bool = True) -> bool:
        if symbol not in self.symbols:
            self.error = NOT_FOUND
            return False
        (self.selected.add if enable else self.selected.discard)(symbol)
        return True

    def symbol_info_tick(self, symbol: str) -> Tick | None:
        if symbol not in self.symbols or symbol not in self.selected:
            self.error = NOT_FOUND
            return None
        at, bid, ask = self.last_quote(symbol)
        msc = round(self.server_time(at) * 1000)
        return Tick(msc // 1000, bid, ask, 0.0, 0, msc, 6, 0.0)

    def symbol_info(self, symbol: str) -> SymbolInfo | None:
        if symbol not in self.symbols:
            self.error = NOT_FOUND
            return None
        this = self.symbols[symbol]
        at, bid, ask = self.last_quote(symbol)
        blank = {name: "" if name in TEXTS else 0.0 for name in SymbolInfo._fields}
        chosen = symbol in self.selected
        return SymbolInfo(**{
            **blank, "custom": False, "select": chosen, "visible": chosen, "spread_float": True, "name": symbol,
            "time": int(self.server_time(at)), "digits": this.digits, "spread": round((ask - bid) / this.point),
            "trade_mode": VALUES["SYMBOL_TRADE_MODE_FULL"], "trade_stops_level": this.stops_level, "chart_mode": 0,
            "trade_exemode": this.execution, "filling_mode": this.filling, "order_mode": 127, "expiration_mode": 15,
            "swap_mode": VALUES["SYMBOL_SWAP_MODE_POINTS"], "swap_rollover3days": 3, "swap_long": -0.7, "swap_short": -1.0,
            "bid": bid, "ask": ask, "point": this.point, "trade_tick_size": this.point, "trade_contract_size": this.contract,
            "trade_tick_value": this.point * this.contract, "volume_min": this.volume_min, "volume_max": this.volume_max,
            "volume_step": this.volume_step, "currency_base": this.base, "currency_profit": this.profit,
            "currency_margin": this.base, "description": f"{this.base} vs {this.profit}", "path": f"{this.path}\\{symbol}",
        })  # fmt: skip

    def copy_rates_from(self, symbol: str, timeframe: int, date_from: object, count: int) -> np.ndarray | None:
        rates = self._rates_of(symbol, timeframe, "copy_rates_from")
        return None if rates is None else rates[rates["time"] <= seconds(date_from)][-count:]

    def copy_rates_from_pos(self, symbol: str, timeframe: int, start_pos: int, count: int) -> np.ndarray | None:
        rates = self._rates_of(symbol, timeframe, "copy_rates_from_pos")
        return None if rates is None else rates[max(len(rates) - start_pos - count, 0) : max(len(rates) - start_pos, 0)]

    def copy_rates_range(self, symbol: str, timeframe: int, date_from: object, date_to: object) -> np.ndarray | None:
        rates = self._rates_of(symbol, timeframe, "copy_rates_range")
        return None if rates is None else rates[(rates["time"] >= seconds(date_from)) & (rates["time"] <= seconds(date_to))]

    def copy_ticks_from(self, symbol: str, date_from: object, count: int, flags: int) -> np.ndarray | None:
        ticks = self._ticks(symbol)
        return None if ticks is None else ticks[ticks["time_msc"] >= seconds(date_from) * 1000][:count]

    def copy_ticks_range(self, symbol: str, date_from: object, date_to: object, flags: int) -> np.ndarray | None:
        ticks = self._ticks(symbol)
        if ticks is None:
            return None
        return ticks[(ticks["time_msc"] >= seconds(date_from) * 1000) & (ticks["time_msc"] <= seconds(date_to) * 1000)]

    def market_book_add(self, symbol: str) -> bool:
        return symbol in self.symbols

    def market_book_release(self, symbol: str) -> bool:
        return symbol in self.symbols

    def market_book_get(self, symbol: str) -> tuple[()] | None:
        return () if symbol in self.symbols else None

    def _rates_of(self, symbol: str, timeframe: int, function: str) -> np.ndarray | None:
        if symbol not in self.symbols or timeframe not in LENGTHS:
            self.error = CALL_FAILED if timeframe in LENGTHS else INVALID
            return None
        rates, left = self.rates(symbol, LENGTHS[timeframe]), self.downloading.get(function, 0)
        self.downloading[function] = max(left - 1, 0)
        return rates[len(rates) // 2 :] if left else rates

    def _ticks(self, symbol: str) -> np.ndarray | None:
        if symbol not in self.symbols:
            self.error = CALL_FAILED
            return None
        quotes = [quote for quote in self.quotes.get(symbol, ()) if quote[0] <= self.now()]
        ticks = np.zeros(len(quotes), TICKS)
        for row, (at, bid, ask) in enumerate(quotes):
            msc = round(self.server_time(at) * 1000)
            ticks[row] = (msc // 1000, bid, ask, 0.0, 0, msc, 6, 0.0)
        return ticks


def together(rates: np.ndarray, length: int) -> np.ndarray:
    """Bars of ``length`` seconds from finer ones; the spread is the least, as brokers store it."""
    if not len(rates):
        return rates
    slots = rates["time"] // length * length
    first = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
    last = np.r_[first[1:], len(rates)] - 1
    out = np.zeros(len(first), RATES)
    out["time"], out["open"], out["close"] = slots[first], rates["open"][first], rates["close"][last]
    out["high"], out["low"] = np.maximum.reduceat(rates["high"], first), np.minimum.reduceat(rates["low"], first)
    out["tick_volume"], out["spread"] = np.add.reduceat(rates["tick_volume"], first), np.minimum.reduceat(rates["spread"], first)
    return out


def built_minutes(symbol: Symbol, now: float, days: int = 60) -> np.ndarray:
    """A seeded walk over the trading minutes (New York Sunday 17:00 to Friday 17:00) of the ``days`` before and the one after ``now``."""
    day = int(now) // 86_400
    utc = np.arange((day - days) * 86_400, (day + 1) * 86_400, 60, dtype=np.int64)
    local = utc + ServerClock(hours=0).offsets(utc) - 17 * 3600 + 86_400
    utc = utc[((local // 86_400 + 4) % 7 >= 1) & ((local // 86_400 + 4) % 7 <= 5)]
    random = np.random.default_rng([ord(letter) for letter in symbol.name])
    steps = np.round(random.normal(0, 1.2 * symbol.points, (len(utc), 4))) * symbol.point
    path = symbol.price + np.cumsum(steps.ravel()).reshape(-1, 4)
    rates = np.zeros(len(utc), RATES)
    rates["time"], rates["tick_volume"], rates["spread"] = utc, random.integers(20, 200, len(utc)), symbol.points
    rates["open"], rates["close"] = np.round(path[:, 0], symbol.digits), np.round(path[:, -1], symbol.digits)
    rates["high"], rates["low"] = np.round(path.max(axis=1), symbol.digits), np.round(path.min(axis=1), symbol.digits)
    return rates


def seconds(moment: object) -> float:
    """What the package makes of a date: seconds since 1970; a date without a zone is taken for UTC here."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)


def in_group(name: str, group: str) -> bool:
    """Whether the masks of a group, applied in order, choose a name: ``"*, !EUR*"``."""
    chosen = False
    for mask in (part.strip() for part in group.split(",")):
        if mask.startswith("!"):
            chosen = chosen and not fnmatchcase(name, mask[1:])
        else:
            chosen = chosen or fnmatchcase(name, mask)
    return chosen
