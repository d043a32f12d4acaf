"""JSON by an encoder that is made once: ``json.JSONEncoder.encode`` makes a new one for each text, which costs more than a small text does."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as _parts
from typing import Any

Encode = Callable[[Any], str]


def _refused(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is nothing that JSON holds")


def encoder(default: Callable[[Any], Any] = _refused, separators: tuple[str, str] = (",", ":"), allow_nan: bool = True) -> Encode:
    """What ``json.dumps`` gives with these options. A value that contains itself is a RecursionError.

    >>> encoder()({"a": [1, 2.5, None, "ä"]})
    '{"a":[1,2.5,null,"\\\\u00e4"]}'
    """
    item, key = separators
    make = getattr(_parts, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(default=default, separators=separators, allow_nan=allow_nan, check_circular=False).encode
    parts = make(None, default, _parts.encode_basestring_ascii, None, key, item, False, False, allow_nan)
    return lambda value: "".join(parts(value, 0))


compact = encoder()
