"""Regimes: what state a market was known to be in at each bar. Importing this loads no compiler and no learner."""

from domain.features.regimes.alignment import aligned as aligned
from domain.features.regimes.alignment import distances as distances
from domain.features.regimes.alignment import hellinger as hellinger
from domain.features.regimes.base import Candidate as Candidate
from domain.features.regimes.base import Filter as Filter
from domain.features.regimes.base import RegimeModel as RegimeModel
from domain.features.regimes.behaviour import detection as detection
from domain.features.regimes.behaviour import facts as facts
from domain.features.regimes.behaviour import shares as shares
from domain.features.regimes.behaviour import sojourns as sojourns
from domain.features.regimes.fitting import fit as fit
from domain.features.regimes.labels import RULES as RULES
from domain.features.regimes.labels import Regimes as Regimes
from domain.features.regimes.labels import banded as banded
from domain.features.regimes.labels import by_rule as by_rule
from domain.features.regimes.labels import coded as coded
from domain.features.regimes.labels import combined as combined
from domain.features.regimes.observed import OBSERVED as OBSERVED
from domain.features.regimes.observed import observations as observations
from domain.features.regimes.observed import standard as standard
from domain.features.regimes.refits import Refit as Refit
from domain.features.regimes.refits import WalkForward as WalkForward
from domain.features.regimes.refits import walk_forward as walk_forward
