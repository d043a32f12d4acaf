"""Features: causal columns, each a function whose signature is its whole declaration."""

from domain.features.base import FEATURES as FEATURES
from domain.features.base import Feature as Feature
from domain.features.base import Use as Use
from domain.features.base import feature as feature
from domain.features.base import parse as parse
from domain.features.base import use as use
from domain.features.context import Context as Context
from domain.features.context import closes as closes
from domain.features.engine import compute as compute
from domain.features.engine import warm_up_of as warm_up_of
from domain.registry import discover

discover(__name__, __path__)
