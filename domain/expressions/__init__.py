"""The language of conditions that users write: text to tree, tree to a checked condition, and its value at each bar. See docs/expressions.md."""

from domain.expressions.check import Catalogue as Catalogue
from domain.expressions.check import condition as condition
from domain.expressions.evaluate import FALSE as FALSE
from domain.expressions.evaluate import TRUE as TRUE
from domain.expressions.evaluate import UNKNOWN as UNKNOWN
from domain.expressions.evaluate import evaluate as evaluate
from domain.expressions.syntax import Node as Node
from domain.expressions.syntax import parse as parse
from domain.expressions.writing import written as written
