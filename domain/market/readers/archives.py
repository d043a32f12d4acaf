"""Which file of a .zip is its table of bars: systems and vendors add files of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from zipfile import ZipInfo

from domain.errors import BadRequest, listed

TABLES = ((".csv", ".tsv", ".hst"), (".txt", ".prn", ".asc", ".dat"))  # surely a table; perhaps one
SYSTEM_FILES = (".ds_store", "thumbs.db", "desktop.ini")
WORKBOOK, OPEN_DOCUMENT = "xl/workbook.xml", "content.xml"


def table_in(name: str, members: Iterable[ZipInfo]) -> ZipInfo:
    """The one member that is a table of bars; an archive called ``name`` without one, or with several, is refused.

    >>> table_in("x.zip", [ZipInfo("EURUSD_gaps.txt"), ZipInfo("EURUSD.csv"), ZipInfo("__MACOSX/._x.csv")]).filename
    'EURUSD.csv'
    """
    files = [member for member in members if not member.is_dir() and not of_the_system(member.filename)]
    names = {member.filename for member in files}
    if any(entry in names for entry in (WORKBOOK, "xl/workbook.bin")):
        raise BadRequest(f"{name} is an Excel workbook; save it as CSV (in Excel: File, Save As, CSV) and import that")
    if OPEN_DOCUMENT in names and "mimetype" in names:
        raise BadRequest(f"{name} is an OpenDocument spreadsheet; save it as CSV and import that")
    if len(files) == 1:
        return files[0]
    for endings in TABLES:
        tables = [member for member in files if member.filename.lower().removesuffix(".gz").endswith(endings)]
        if len(tables) == 1:
            return tables[0]
        if tables:
            raise BadRequest(
                f"{name} is an archive of {len(tables)} tables "
                f"({listed((entry.filename for entry in tables), most=3)}); unpack it and import them one by one"
            )
    if not files:
        raise BadRequest(f"{name} is an archive without a file in it; download it again")
    raise BadRequest(
        f"{name} is an archive of {len(files)} files ({listed((entry.filename for entry in files), most=3)}), "
        "none of them a table of bars by its name; unpack it and import one as CSV"
    )


def holds_ticks(members: Iterable[ZipInfo]) -> bool:
    """Whether an archive holds hours of Dukascopy's ticks.

    >>> holds_ticks([ZipInfo("EURUSD/2018/06/05/05h_ticks.bi5")]), holds_ticks([ZipInfo("EURUSD.csv")])
    (True, False)
    """
    return any(member.filename.lower().endswith(".bi5") and not of_the_system(member.filename) for member in members)


def of_the_system(name: str) -> bool:
    """Whether macOS or Windows put it there.

    >>> of_the_system("__MACOSX/._EURUSD.csv"), of_the_system("data/.DS_Store"), of_the_system("EURUSD.csv")
    (True, True, False)
    """
    path = PurePosixPath(name)
    return path.name.startswith("._") or path.name.lower() in SYSTEM_FILES or "__MACOSX" in path.parts
