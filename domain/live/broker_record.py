"""What a session received from its broker, as it was booked: with bars and commands it is all that the session is worked again from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.live.broker_book import Taken
from domain.live.broker_wanted import Adopted, BrokerReport, Closed, Refused
from domain.live.reconcile import Difference
from domain.trading.order_text import fill_of, position_of, values_of

Standing = tuple[float, float]      # balance and equity of the account at the broker


@dataclass(frozen=True)
class Booking:
    """A report, booked after the instant ``ts`` and the first ``commands`` commands; its ``book`` is not part of it. ``standing``: None where the account was not
    looked at; ``differences``: client ids of what the broker has otherwise.

    >>> booking = Booking(5, 1, BrokerReport(7, {}, refused=(Refused(1, "gold-1-0", "cancelled", "too late"),)), (10.0, 9.5), ("gold-2-0",))
    >>> Booking.of(booking.plain()) == booking
    True
    """

    ts: int
    commands: int
    report: BrokerReport
    standing: Standing | None = None
    differences: tuple[str, ...] = ()

    @property
    def is_news(self) -> bool:
        report = self.report
        return any((report.taken, report.refused, report.closed, report.adopted))

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        report = self.report
        return dict(
            ts=self.ts, commands=self.commands, at=report.at, standing=None if self.standing is None else list(self.standing), differences=list(self.differences),
            taken=[[each.number, each.leg, values_of(each.fill)] for each in report.taken],
            refused=[[each.number, each.client_id, each.reason, each.sentence] for each in report.refused],
            closed=[[each.number, each.leg, each.event, each.refused] for each in report.closed],
            adopted=[[each.client_id, each.number, each.leg, None if each.difference is None else _plain(each.difference)] for each in report.adopted],
        )  # fmt: skip

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Booking:
        report = BrokerReport(
            plain["at"], {}, tuple(Taken(number, leg, fill_of(fill)) for number, leg, fill in plain["taken"]), tuple(Refused(*each) for each in plain["refused"]),
            tuple(Closed(*each) for each in plain["closed"]), tuple(Adopted(name, number, leg, None if difference is None else _difference(difference)) for name, number, leg, difference in plain["adopted"]),
        )  # fmt: skip
        standing = plain["standing"]
        return cls(plain["ts"], plain["commands"], report, None if standing is None else (standing[0], standing[1]), tuple(plain["differences"]))


def _plain(difference: Difference) -> list[Any]:
    position = difference.position
    return [difference.client_id, difference.instrument, str(difference.expected), str(difference.actual), None if position is None else values_of(position)]


def _difference(plain: Sequence[Any]) -> Difference:
    client_id, instrument, expected, actual, position = plain
    return Difference(client_id, instrument, Decimal(expected), Decimal(actual), None if position is None else position_of(position))
