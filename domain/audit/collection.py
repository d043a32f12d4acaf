"""Several signed notes in one file, one after another, as they are appended; a torn one is no note and hides no other."""

from __future__ import annotations

from collections.abc import Iterator

from domain.audit.note import DASH


def split(content: str) -> Iterator[str]:
    """The notes in ``content``, each as text that ``domain.audit.note.parse`` reads; what was cut off in the middle is left out.

    >>> whole = "text\\n\\n— name sig\\n"
    >>> list(split(whole + "torn" + "\\n\\n" + whole + "— other sig\\n")) == [whole, whole + "— other sig\\n"]
    True
    """
    text: list[str] = []
    signatures: list[str] = []
    blank = False
    for line in content.splitlines(keepends=True):
        signature = line.startswith(DASH)
        if signatures and not signature:
            yield "".join((*text, "\n", *signatures))
            text, signatures, blank = [], [], False
        if line == "\n":
            blank = bool(text)
        elif signature and blank and line.endswith("\n"):
            signatures.append(line)
        elif signature or not line.endswith("\n"):
            text, blank = [], False
        else:
            text, blank = [*([] if blank else text), line], False
    if signatures:
        yield "".join((*text, "\n", *signatures))
