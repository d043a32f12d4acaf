"""What a run was worth and how far to believe it: figures with definition, unit and source; tables and curves as plain frames.

``returns`` is a module of functions on period returns (``returns.sharpe(daily)``); everything else is named here.
"""

from domain.analytics import returns as returns
from domain.analytics.believability import Belief as Belief
from domain.analytics.believability import Question as Question
from domain.analytics.believability import believe as believe
from domain.analytics.compare import Difference as Difference
from domain.analytics.compare import compare_metrics as compare_metrics
from domain.analytics.compare import compare_specs as compare_specs
from domain.analytics.compare import first_difference as first_difference
from domain.analytics.costs import break_even as break_even
from domain.analytics.costs import waterfall as waterfall
from domain.analytics.drawdowns import CURVES as CURVES
from domain.analytics.drawdowns import drawdown_table as drawdown_table
from domain.analytics.drawdowns import underwater as underwater
from domain.analytics.excursions import excursion_points as excursion_points
from domain.analytics.excursions import stop_target_surface as stop_target_surface
from domain.analytics.groups import GROUPS as GROUPS
from domain.analytics.groups import Grouping as Grouping
from domain.analytics.groups import group_table as group_table
from domain.analytics.linter import CHECKS as CHECKS
from domain.analytics.linter import Evidence as Evidence
from domain.analytics.linter import Remark as Remark
from domain.analytics.linter import lint as lint
from domain.analytics.metrics import FAMILIES as FAMILIES
from domain.analytics.metrics import METRICS as METRICS
from domain.analytics.metrics import Metric as Metric
from domain.analytics.metrics import daily_returns as daily_returns
from domain.analytics.metrics import measure as measure
from domain.analytics.metrics import monthly as monthly
from domain.analytics.metrics import summary_of as summary_of
from domain.analytics.monte_carlo import MonteCarlo as MonteCarlo
from domain.analytics.monte_carlo import Plan as Plan
from domain.analytics.monte_carlo import automatic_block as automatic_block
from domain.analytics.monte_carlo import bands as bands
from domain.analytics.monte_carlo import draw as draw
from domain.analytics.monte_carlo import histogram as histogram
from domain.analytics.monte_carlo import merge as merge
from domain.analytics.monte_carlo import monte_carlo_of as monte_carlo_of
from domain.analytics.monte_carlo import summarise as summarise
from domain.analytics.significance import Overfitting as Overfitting
from domain.analytics.significance import Significance as Significance
from domain.analytics.significance import cscv as cscv
from domain.analytics.significance import deflated_sharpe as deflated_sharpe
from domain.analytics.significance import expected_max as expected_max
from domain.analytics.significance import minimum_track_record as minimum_track_record
from domain.analytics.significance import overfitting as overfitting
from domain.analytics.significance import pbo as pbo
from domain.analytics.significance import probabilistic_sharpe as probabilistic_sharpe
from domain.analytics.significance import significance_of as significance_of
from domain.analytics.significance import trial_variance as trial_variance
from domain.analytics.stability import by_window as by_window
from domain.analytics.trades import r_histogram as r_histogram
from domain.analytics.trades import results_in_r as results_in_r
from domain.analytics.trades import trade_figures as trade_figures
