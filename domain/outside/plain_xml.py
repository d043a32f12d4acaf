"""XML without declarations: what is read of it is elements and their texts, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NoReturn
from xml.parsers import expat

from domain.errors import BadRequest


class PlainXml(ABC):
    """Rows of texts by the name of their element. Declarations of types and entities are refused: they are how a small file becomes a large one, or reads another.

    ``what``: what the document is, and ``row``: what its rows are, in sentences. ``path``: names of the elements that are open. ``begun`` is called with each.
    """

    what: ClassVar[str]
    row: ClassVar[str]

    def __init__(self, file: str, most: int) -> None:
        self.file, self.rows, self.path = file, list[dict[str, str]](), list[str]()
        self._most = most

    def read(self, data: bytes) -> list[dict[str, str]]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self._start, self._end, self._text
        parser.StartDoctypeDeclHandler, parser.EntityDeclHandler, parser.ExternalEntityRefHandler = self._refuse, self._refuse, self._refuse
        try:
            parser.Parse(data, True)
        except LookupError:
            raise BadRequest(f"{self.file} names an encoding that there is none of; download it again, or save it as UTF-8") from None
        except expat.ExpatError as error:
            raise BadRequest(f"{self.file} is incomplete XML: it cannot be read from line {error.lineno}, column {error.offset + 1} on. Download it again") from None
        return self.rows

    def named(self, name: str) -> str:
        """What the name of an element counts as."""
        return name

    @abstractmethod
    def is_row(self) -> bool:
        """Whether the innermost open element begins a row."""

    @abstractmethod
    def is_text(self) -> bool:
        """Whether the innermost open element is a text of the present row."""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.path.append(self.named(name))
        if self.is_row():
            self.rows.append({})
            if len(self.rows) > self._most:
                raise BadRequest(f"{self.file} has more than {self._most:,} {self.row}, which is the limit; split it, or raise the limit in the settings")
        elif self.is_text():
            self.begun(self.path[-1])

    def begun(self, name: str) -> None:
        """A text of the present row begins; the last of a name counts."""
        self.rows[-1][name] = ""

    def _end(self, name: str) -> None:
        self.path.pop()

    def _text(self, text: str) -> None:
        if self.is_text():
            self.rows[-1][self.path[-1]] += text

    def _refuse(self, *declared: object) -> NoReturn:
        raise BadRequest(f"{self.file} declares types or entities of its own, which {self.what} needs none of; it was not read. Download it from where it is published")
