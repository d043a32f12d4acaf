"""How large a position may be, and what may forbid it."""

from domain.risk.sizing import Sizing as Sizing
