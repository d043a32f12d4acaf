"""Tables that leave as text, for pages and for the other parts of the desk."""

from __future__ import annotations

from worker.cells import csv_of, safe, safe_cells

__all__ = ["csv_of", "safe", "safe_cells"]
