"""Venues: one vendor, one file. Each imports its SDK inside its class, so no SDK is loaded for nothing."""

from domain.market.source import SOURCES
from domain.registry import discover
from domain.venues.synthetic import MODELS as SYNTHETIC
from domain.venues.vendor import VENDORS

discover(__name__, list(__path__))

__all__ = ["SOURCES", "SYNTHETIC", "VENDORS"]
