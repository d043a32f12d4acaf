"""What a file is that no reader knows, in words that say what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

OUTSIDE = "it goes in with: tidemark data outside import, or on the page Data, External data"
OANDA = {
    "accounts": "accounts", "account": "an account", "orders": "orders", "orderCreateTransaction": "orders", "order": "an order", "orderCancelTransaction": "orders",
    "positions": "positions", "position": "a position", "prices": "prices of this moment", "trades": "trades", "trade": "a trade", "transactions": "transactions",
    "transaction": "a transaction", "orderBook": "an order book", "positionBook": "a position book",
}  # fmt: skip
OANDAS = re.compile(rb'"_?v3_accounts?|"lastTransactionID"|"accountID"|"(?:shortCountPercent|longCountPercent)"')
CONTENTS = (        # what a text is by what stands in its beginning
    (re.compile(rb"<weeklyevents", re.IGNORECASE), f"a calendar of releases, ForexFactory's week; {OUTSIDE}"),
    (re.compile(rb'\s*\[\s*\{(?=[^}]*"impact")(?=[^}]*"country")[^}]*"title"'), f"a calendar of releases, ForexFactory's week; {OUTSIDE}"),
    (re.compile(rb"<rss\b|<feed\b", re.IGNORECASE), f"a feed of headlines (RSS); {OUTSIDE}"),
    (re.compile(rb"(?=[^\n]*\bimpact\b)[^\n]*\b(?:event|title)\b[^\n]*\n", re.IGNORECASE), f"a calendar of releases; {OUTSIDE}"),
    (re.compile(rb"(?=[^\n]*\b(?:ts|time|datetime|published)\b)[^\n]*\bheadline\b[^\n]*\n", re.IGNORECASE), f"headlines; {OUTSIDE}"),
    (re.compile(rb"\s*\"?(?:observation_)?date\"?,\"?\w+\"?\r?\n\d{4}-\d{2}-\d{2},", re.IGNORECASE), f"a series by date, one value a day; {OUTSIDE}"),
)

BEGINNINGS = (
    (b"<!doctype html", "a web page (HTML), not data; download the file itself"),
    (b"<html", "a web page (HTML), not data; download the file itself"),
    (b"<?xml", "XML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
    (b"%pdf", "a PDF"),
    (b"arrow1", "an Arrow (Feather) file"),
    (b"sqlite format", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind (.xls); save it as CSV and import that"),
    (b"rar!", "a RAR archive; unpack it and import the table inside"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it and import the table inside"),
)
ENDINGS = {
    ".fxt": (
        "a file of MetaTrader 4's tester (.fxt); import the .hst of the same symbol, "
        "or its export from the history centre"
    ),
    ".hcc": (
        "MetaTrader 5's own history (.hcc); export the bars from its Symbols window (View, Symbols, "
        "Bars) and import that"
    ),
    ".hc": (
        "MetaTrader 5's own cache (.hc); export the bars from its Symbols window (View, Symbols, "
        "Bars) and import that"
    ),
    ".tkc": (
        "MetaTrader 5's own ticks (.tkc); export the bars from its Symbols window (View, Symbols, "
        "Bars) and import that"
    ),
    ".ncd": "NinjaTrader's own history (.ncd); export it from its Historical Data window as text and import that",
}


def what_it_is(head: bytes, name: str = "") -> str:
    """
    >>> what_it_is(b"<!DOCTYPE html><title>Sign in"), what_it_is(bytes(range(256)))
    ('a web page (HTML), not data; download the file itself', 'binary data')
    >>> what_it_is(b"a,b,c")
    "text of an unknown layout, beginning 'a,b,c'"
    >>> what_it_is(b"<weeklyevents><event>")[:46], what_it_is(b'{"accounts": [], "lastTransactionID": "1"}')[:34]
    ("a calendar of releases, ForexFactory's week; i", "OANDA's answer about accounts, no ")
    """
    start = head.lstrip()[:64].lower()
    if what := _by_content(head):
        return what
    for magic, what in BEGINNINGS:
        if start.startswith(magic):
            return what
    for ending, what in ENDINGS.items():
        if name.lower().endswith(ending):
            return what
    text = head[:4096]
    if sum(byte < 9 or 13 < byte < 32 for byte in text) > 0.01 * len(text) or text.decode("utf-8", "replace").count(
        "\ufffd"
    ) > 0.05 * len(text):
        return "binary data"
    first = head.decode("utf-8", "replace").strip().split("\n")[0]
    return (
        f"text of an unknown layout, beginning {first[:60]!r}" if first else "blank: it holds nothing but empty lines"
    )


def _by_content(head: bytes) -> str:
    """What the beginning of a text of something else than bars says it is; "" where nothing known does."""
    if head.lstrip()[:1] == b"{" and OANDAS.search(head):
        subject = _subject(re.findall(rb'"(\w+)"\s*:', head))
        return f"OANDA's answer about {subject or 'something else'}, no bars; its candles are (/v3/instruments/EUR_USD/candles)"
    return next((what for pattern, what in CONTENTS if (pattern.match(head) or (head.lstrip()[:1] == b"<" and pattern.search(head[:2_000])))), "")


def _subject(keys: Sequence[bytes]) -> str:
    return next((OANDA[key.decode()] for key in keys if key.decode() in OANDA), "")
