"""ForexFactory's week as XML, read without following anything that a document may declare."""

from __future__ import annotations

from domain.errors import BadRequest
from domain.outside.plain_xml import PlainXml


class Week(PlainXml):
    """The texts of each ``event`` by the name of their element."""

    what, row = "a calendar", "events"

    def read(self, data: bytes) -> list[dict[str, str]]:
        if not super().read(data):
            raise BadRequest(f"{self.file} is XML, but holds no event; it must be like ForexFactory's week: weeklyevents with event elements of title, country, date, time and impact")
        return self.rows

    def is_row(self) -> bool:
        return self.path[1:] == ["event"]

    def is_text(self) -> bool:
        return len(self.path) == 3 and self.path[1] == "event"


def events_of(file: str, data: bytes, most: int) -> list[dict[str, str]]:
    """The events of a week.

    >>> events_of("week.xml", b"<weeklyevents><event><title>CPI</title><time><![CDATA[1:30pm]]></time></event></weeklyevents>", 10)
    [{'title': 'CPI', 'time': '1:30pm'}]
    """
    return [{name: text.strip() for name, text in event.items()} for event in Week(file, most).read(data)]
