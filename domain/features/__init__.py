"""Features: causal columns, each a function whose signature is its whole declaration."""

from domain.features.base import FEATURES as FEATURES
from domain.features.base import Feature as Feature
from domain.features.base import Use as Use
from domain.features.base import compute as compute
from domain.features.base import feature as feature
from domain.features.base import use as use
from domain.registry import discover

discover(__name__, __path__)
