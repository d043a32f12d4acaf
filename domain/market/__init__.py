"""Markets: instruments, timeframes, sessions, clocks, and bars from file to a checked, versioned table."""

from __future__ import annotations

from domain.market import readers as readers
from domain.market.bar_times import BarTime as BarTime
from domain.market.bar_times import bar_time as bar_time
from domain.market.bar_times import check_bar_time as check_bar_time
from domain.market.bars import COLUMNS as COLUMNS
from domain.market.bars import SIDES as SIDES
from domain.market.bars import check as check
from domain.market.bars import content_version as content_version
from domain.market.bars import frame as frame
from domain.market.bars import ts_of as ts_of
from domain.market.calendar import CALENDARS as CALENDARS
from domain.market.calendar import bar_ends as bar_ends
from domain.market.calendar import calendar as calendar
from domain.market.clock import CLOCKS as CLOCKS
from domain.market.clock import Clock as Clock
from domain.market.clock import clock as clock
from domain.market.clock import to_utc as to_utc
from domain.market.clock_evidence import ClockEvidence as ClockEvidence
from domain.market.clock_evidence import infer as infer
from domain.market.clock_evidence import likely as likely
from domain.market.gaps import gap_map as gap_map
from domain.market.instrument import Instrument as Instrument
from domain.market.instrument import instrument as instrument
from domain.market.instrument import instruments as instruments
from domain.market.join import join_ask as join_ask
from domain.market.quality import inspect as inspect
from domain.market.quality import repair as repair
from domain.market.report import CHECKS as CHECKS
from domain.market.report import Example as Example
from domain.market.report import Finding as Finding
from domain.market.report import Report as Report
from domain.market.resample import join_closed as join_closed
from domain.market.resample import resample as resample
from domain.market.sessions import NOWHERE as NOWHERE
from domain.market.sessions import Calendar as Calendar
from domain.market.side import resolve_side as resolve_side
from domain.market.timeframe import TIMEFRAMES as TIMEFRAMES
from domain.market.timeframe import Timeframe as Timeframe
