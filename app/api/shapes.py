"""What requests and answers are made of."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator


def _text(value: Any) -> Any:
    """A time is a text: of a number nobody knows whether it counts seconds or milliseconds."""
    if isinstance(value, str) and not NUMBER.fullmatch(value.strip()):
        return value
    if value is None or isinstance(value, datetime):
        return value
    raise ValueError("should be a time such as 2024-05-01T14:00:00Z")


NUMBER = re.compile(r"[+-]?\d*\.?\d*(e[+-]?\d+)?", re.IGNORECASE)
NUMBERS: tuple[Any, ...] = (int, float, int | None, float | None)
Time = Annotated[datetime, BeforeValidator(_text)]


def _exact(value: Any) -> Any:
    """A number of an order is a text: as a number of JSON it would pass through binary fractions, in which 0.1 and 0.2 are not 0.3."""
    if isinstance(value, str) or value is None:
        return value
    raise ValueError('should be a text such as "0.10", so that it is exact')


def _above_zero(text: str) -> str:
    if Decimal(text) <= 0:
        raise ValueError("should be above 0")
    return text


Exact = Annotated[str, BeforeValidator(_exact), Field(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$", examples=["-12.50"])]
Amount = Annotated[str, BeforeValidator(_exact), Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,12})?$", examples=["0.10"]), AfterValidator(_above_zero)]


class Body(BaseModel):
    """A request's body: a field that is not described here is an error that names it."""

    model_config = ConfigDict(extra="forbid", str_max_length=100_000)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in NUMBERS:
            raise ValueError("should be a number, not true or false")
        return value


class Answer(BaseModel):
    """An answer; fields may be added to it."""

    model_config = ConfigDict(extra="allow")


class JobAnswer(Answer):
    """A job. ``state``: queued, running, done, failed or cancelled; ``progress``: share from 0 to 1; ``result``: once it is done, the ids of what it made."""

    id: str
    kind: str
    title: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(description="share done, 0 to 1")
    note: str
    created_at: str = Field(description="RFC 3339, UTC")
    started_at: str | None
    ended_at: str | None
    actor: str
    result: Any
    error: Any
    href: str = Field(description="the job's address")


class RunAnswer(Answer):
    """A finished computation. ``summary``: its figures; ``spec``: what was requested; ``manifest``: data and code that it was made from."""

    id: str
    kind: str
    name: str
    title: str
    note: str
    actor: str
    created_at: str = Field(description="RFC 3339, UTC")
    synthetic: bool
    summary: dict[str, Any]
    href: str


class Listed(Answer):
    """A part of a list, newest first. ``next``: what to give as ``cursor`` for what comes after it, null at the end."""

    items: list[dict[str, Any]]
    next: str | None


class Table(Answer):
    """Rows of a table. ``next``: as of a list."""

    columns: list[str]
    rows: list[dict[str, Any]]
    total: int
    next: str | None


class ProblemAnswer(Answer):
    """RFC 9457. ``detail``: what was requested, what was found and what to do."""

    type: str
    title: str
    status: int
    detail: str
