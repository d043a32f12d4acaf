"""Feature analysis: information about forward returns, stability, redundancy, drift, and analogues of a bar."""

from domain.laboratory.choices import Ahead as Ahead
from domain.laboratory.choices import Likeness as Likeness
from domain.laboratory.drift import drift_of as drift_of
from domain.laboratory.information import association as association
from domain.laboratory.information import benjamini_hochberg as benjamini_hochberg
from domain.laboratory.outcomes import outcomes as outcomes
from domain.laboratory.ranks import Ranked as Ranked
from domain.laboratory.ranks import rank as rank
from domain.laboratory.ranks import within_instruments as within_instruments
from domain.laboratory.redundancy import Thresholds as Thresholds
from domain.laboratory.request import StudyConfig as StudyConfig
from domain.laboratory.similar import Moments as Moments
from domain.laboratory.similar import similar as similar
from domain.laboratory.study import Findings as Findings
from domain.laboratory.study import examine as examine
from domain.laboratory.targets import Target as Target
from domain.laboratory.targets import forward_return as forward_return
from domain.laboratory.targets import trade_outcomes as trade_outcomes
