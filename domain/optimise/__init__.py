"""Parameter searches and their evaluation: grids, heat maps with plateaus, windows of a walk-forward."""

from domain.optimise.grid import MOST as MOST
from domain.optimise.grid import Grid as Grid
from domain.optimise.grid import Point as Point
from domain.optimise.grid import combinations as combinations
from domain.optimise.grid import feasible as feasible
from domain.optimise.heat import heat as heat
from domain.optimise.objective import FIGURES as FIGURES
from domain.optimise.objective import OBJECTIVES as OBJECTIVES
from domain.optimise.objective import Objective as Objective
from domain.optimise.objective import chosen as chosen
from domain.optimise.ranges import between as between
from domain.optimise.ranges import unmet_end as unmet_end
from domain.optimise.search import SAMPLERS as SAMPLERS
from domain.optimise.search import Dimension as Dimension
from domain.optimise.search import Search as Search
from domain.optimise.search import dimensions as dimensions
from domain.optimise.search import dimensions_of as dimensions_of
from domain.optimise.search import notes as notes
from domain.optimise.windows import Fold as Fold
from domain.optimise.windows import Windows as Windows
from domain.optimise.windows import compared as compared
from domain.optimise.windows import drift as drift
from domain.optimise.windows import efficiency as efficiency
from domain.optimise.windows import folds as folds
