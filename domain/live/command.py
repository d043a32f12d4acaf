"""The commands of a session: those of ``domain.trading.command``, which the backtest obeys too."""

from domain.trading.command import Command as Command
from domain.trading.command import command as command
from domain.trading.command import in_order as in_order
from domain.trading.command import read_commands as read_commands
from domain.trading.command import write_commands as write_commands
from domain.trading.verbs import VERBS as VERBS
