"""What a file is that no reader knows, in words that say what to do about it."""

from __future__ import annotations

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
    ".bi5": (
        "Dukascopy's compressed ticks of one hour (.bi5); export the period as CSV from its page or JForex, "
        "and import that"
    ),
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
    >>> what_it_is(b"a,b", "EURUSD.bi5")[:27]
    "Dukascopy's compressed tick"
    """
    start = head.lstrip()[:64].lower()
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
