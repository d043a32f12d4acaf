"""A double of the MetaTrader5 package 5.0.6231 (Windows only): its constants and its functions over a terminal in this process.

Put this folder on ``sys.path`` and ``import MetaTrader5`` finds it. ``local_double`` says that it is none of MetaQuotes';
``terminal`` is the state behind it, with which a test moves time and quotes and switches faults on.
"""

from __future__ import annotations

import mt5_constants
from mt5_terminal import Terminal

__version__, __author__ = "5.0.6231", "a local double"
globals().update(mt5_constants.VALUES)

local_double = True
terminal = Terminal()
FUNCTIONS = (
    "initialize", "login", "shutdown", "version", "last_error", "account_info", "terminal_info", "symbols_total",
    "symbols_get", "symbol_info", "symbol_info_tick", "symbol_select", "market_book_add", "market_book_get",
    "market_book_release", "copy_rates_from", "copy_rates_from_pos", "copy_rates_range", "copy_ticks_from",
    "copy_ticks_range", "orders_total", "orders_get", "order_calc_margin", "order_calc_profit", "order_check",
    "order_send", "positions_total", "positions_get", "history_orders_total", "history_orders_get",
    "history_deals_total", "history_deals_get",
)  # fmt: skip
globals().update({name: terminal.offered(name) for name in FUNCTIONS})
