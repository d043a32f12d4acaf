"""What people and files wrote is shown as it stands: no Markdown, formulas, links, pictures, colours or emoji come of it."""

from __future__ import annotations

import re

JOIN = "\u2060"     # a word joiner: nothing to see, no width, no break
_PUNCTUATION = re.compile(r"""([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])""")
_UNSEEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]")       # control signs, and those that turn the writing around
_LATER = re.compile(        # what Streamlit puts in place after Markdown was read, where a backslash no longer helps
    r"(?::(?=[\w+-]+:))"                                # emoji and icons by name
    r"|(?:(?<=http)|(?<=https)):(?=//)|(?<=www)(?=\.)|@(?=[\w-]+\.)"     # addresses
    r"|[<~>](?=[-=])|-(?=[->])",                        # arrows and dashes
    re.IGNORECASE,
)


def literal(text: object) -> str:
    """``text`` for a place that reads Markdown, so that it is read as it was written.

    >>> literal("![a](b) $x$ :red[c]").replace("\\\\", "/")
    '/!/[a/]/(b/) /$x/$ /:red/[c/]'
    >>> literal("EURUSD M15"), literal("two\\nlines"), literal(None)
    ('EURUSD M15', 'two lines', '')
    """
    seen = " ".join(_UNSEEN.sub("\ufffd", "" if text is None else str(text)).split())
    return _PUNCTUATION.sub(r"\\\1", _LATER.sub(lambda match: match[0] + JOIN, seen))
