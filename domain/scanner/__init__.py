"""The scanner: which of many combinations of instrument, strategy and timeframe are worth a proposal at the close of a bar, and why the others are not."""

from domain.scanner.criteria import GRADES as GRADES
from domain.scanner.criteria import Criteria as Criteria
from domain.scanner.reasons import REASONS as REASONS
