"""What a run was worth: figures with definition, unit and source."""

from domain.analytics.metrics import METRICS as METRICS
from domain.analytics.metrics import Metric as Metric
from domain.analytics.metrics import measure as measure
from domain.analytics.metrics import monthly as monthly
