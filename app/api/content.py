"""A file in the body of a request."""

from __future__ import annotations

import base64

from pydantic import Field

from app.api.problem import Problem
from app.api.shapes import Body


class Content(Body):
    """Text in ``content``, anything else in ``content_base64``."""

    name: str = Field(max_length=255, examples=["EURUSD_M5.csv"])
    content: str = Field(default="", max_length=100_000_000)
    content_base64: str = Field(default="", max_length=140_000_000)

    def bytes(self) -> bytes:
        if bool(self.content) == bool(self.content_base64):
            raise Problem(422, "a file needs either content or content_base64; give one of them")
        try:
            return self.content.encode() if self.content else base64.b64decode(self.content_base64, validate=True)
        except ValueError:
            raise Problem(422, "content_base64 is not Base64") from None
