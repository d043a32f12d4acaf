"""ForexFactory's week as XML, read without following anything that a document may declare."""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

from domain.errors import BadRequest


class Week:
    """The texts of each ``event`` by the name of their element. Declarations of types and entities are refused: they are how a small file becomes a large one, or reads another."""

    def __init__(self, file: str, most: int) -> None:
        self.events: list[dict[str, str]] = []
        self._file, self._most, self._path = file, most, list[str]()

    def read(self, data: bytes) -> list[dict[str, str]]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self._start, self._end, self._text
        parser.StartDoctypeDeclHandler, parser.EntityDeclHandler, parser.ExternalEntityRefHandler = self._refuse, self._refuse, self._refuse
        try:
            parser.Parse(data, True)
        except LookupError:
            raise BadRequest(f"{self._file} names an encoding that there is none of; download it again, or save it as UTF-8") from None
        except expat.ExpatError as error:
            raise BadRequest(f"{self._file} is incomplete XML: it cannot be read from line {error.lineno}, column {error.offset + 1} on. Download it again") from None
        if not self.events:
            raise BadRequest(f"{self._file} is XML, but holds no event; it must be like ForexFactory's week: weeklyevents with event elements of title, country, date, time and impact")
        return self.events

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if self._path[1:] == ["event"]:
            self.events.append({})
            if len(self.events) > self._most:
                raise BadRequest(f"{self._file} has more than {self._most:,} events, which is the limit; split it, or raise the limit in the settings")
        elif len(self._path) == 3 and self._path[1] == "event":
            self.events[-1][name] = ""

    def _end(self, name: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        if len(self._path) == 3 and self._path[1] == "event":
            self.events[-1][self._path[2]] += text

    def _refuse(self, *declared: object) -> NoReturn:
        raise BadRequest(f"{self._file} declares types or entities of its own, which a calendar needs none of; it was not read. Download it from where it is published")


def events_of(file: str, data: bytes, most: int) -> list[dict[str, str]]:
    """The events of a week.

    >>> events_of("week.xml", b"<weeklyevents><event><title>CPI</title><time><![CDATA[1:30pm]]></time></event></weeklyevents>", 10)
    [{'title': 'CPI', 'time': '1:30pm'}]
    """
    return [{name: text.strip() for name, text in event.items()} for event in Week(file, most).read(data)]
