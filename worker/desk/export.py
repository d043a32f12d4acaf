"""Tables that leave as files, for pages and for the other parts of the desk."""

from __future__ import annotations

import io

import pandas as pd

from worker.cells import csv_of, safe, safe_cells
from worker.store.former_names import both_named, with_former
from worker.store.former_summaries import with_former_keys

__all__ = ["both_named", "csv_of", "file_of", "parquet_of", "safe", "safe_cells", "with_former", "with_former_keys"]


def file_of(frame: pd.DataFrame, form: str) -> bytes:
    """A table as ``parquet`` or, for every other form, as CSV that is safe in a spreadsheet.

    >>> file_of(pd.DataFrame({"name": ["=1+1"], "n": [-2]}), "csv")
    b"name,n\\n'=1+1,-2\\n"
    """
    return parquet_of(frame) if form == "parquet" else csv_of(frame)


def parquet_of(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False, compression="zstd")
    return sink.getvalue()
