"""Why an order came to nothing at a broker: label and sentence; the broker's own words stand beside them."""

from __future__ import annotations

from collections.abc import Mapping

AT_BROKER: Mapping[str, tuple[str, str]] = {
    "missed": ("Missed", "Its bar ended before the order could be sent, or no answer came and the broker does not have it. There are no late entries."),
    "stale": ("Price too old", "No fresh price came before its bar ended."),
    "rejected": ("Rejected by the broker", "The broker did not take the order."),
    "cancelled": ("Cancelled at the broker", "The order was cancelled there before it filled."),
}  # fmt: skip
