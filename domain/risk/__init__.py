"""Position sizing, and risk limits on orders."""

from domain.risk.limits import Limits as Limits
from domain.risk.sizing import Sizing as Sizing
