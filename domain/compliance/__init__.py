"""Rules of firms and regulators as data, replayed over any equity path."""

from domain.compliance.day import DayClock as DayClock
from domain.compliance.gate import Headroom as Headroom
from domain.compliance.gate import Permission as Permission
from domain.compliance.gate import WorstCase as WorstCase
from domain.compliance.gate import headroom as headroom
from domain.compliance.gate import permits as permits
from domain.compliance.judge import Instant as Instant
from domain.compliance.judge import Judge as Judge
from domain.compliance.order import Order as Order
from domain.compliance.path import Path as Path
from domain.compliance.path import path_of as path_of
from domain.compliance.path import stamp as stamp
from domain.compliance.replay import Judgement as Judgement
from domain.compliance.replay import RuleVerdict as RuleVerdict
from domain.compliance.replay import judge as judge
from domain.compliance.rule import RULES as RULES
from domain.compliance.rule import Breach as Breach
from domain.compliance.rule import Rule as Rule
from domain.compliance.rule_set import RuleSet as RuleSet
from domain.compliance.rule_set import dump as dump
from domain.compliance.rule_set import load as load
from domain.compliance.rule_set import preset as preset
from domain.compliance.rule_set import presets as presets
