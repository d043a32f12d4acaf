"""Text of people and files, shown literally: without Markdown, formulas, links, images, colours or emoji."""

from __future__ import annotations

import re

JOIN = "\u2060"     # a word joiner: nothing to see, no width, no break
_PUNCTUATION = re.compile(r"""([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])""")
_UNSEEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]")       # control characters, and those that change the direction of text
_LATER = re.compile(        # replaced by Streamlit after Markdown, where a backslash has no effect
    r"(?::(?=[\w+-]+:))"                                # emoji and icons by name
    r"|(?:(?<=http)|(?<=https)):(?=//)|(?<=www)(?=\.)|@(?=[\w-]+\.)"     # addresses
    r"|[<~>](?=[-=])|-(?=[->])",                        # arrows and dashes
    re.IGNORECASE,
)


def literal(text: object) -> str:
    """``text`` escaped for Markdown, so that it is shown literally.

    >>> literal("![a](b) $x$ :red[c]").replace("\\\\", "/")
    '/!/[a/]/(b/) /$x/$ /:red/[c/]'
    >>> literal("EURUSD M15"), literal("two\\nlines"), literal(None)
    ('EURUSD M15', 'two lines', '')
    """
    seen = " ".join(_UNSEEN.sub("\ufffd", "" if text is None else str(text)).split())
    return _PUNCTUATION.sub(r"\\\1", _LATER.sub(lambda match: match[0] + JOIN, seen))


def in_badge(text: object) -> str:
    """The same as the label of a badge, whose square brackets Streamlit escapes itself.

    >>> in_badge("[a](b) *c*").replace("\\\\", "/")
    '[a]/(b/) /*c/*'
    """
    return literal(text).replace(r"\[", "[").replace(r"\]", "]")
