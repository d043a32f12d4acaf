"""Venues: one vendor, one file. Each is imported only by whoever uses it, so no SDK is loaded for nothing."""

from domain.venues.synthetic import MODELS as SYNTHETIC

__all__ = ["SYNTHETIC"]
