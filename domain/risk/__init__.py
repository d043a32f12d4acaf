"""How large a position may be, and what may forbid it."""

from domain.risk.limits import Limits as Limits
from domain.risk.sizing import Sizing as Sizing
