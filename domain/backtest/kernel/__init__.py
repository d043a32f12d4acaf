"""The execution model, compiled: what happens to an order inside and between bars. Specification: docs/execution.md.

Every function takes the context, one record of the addresses of all arrays (``state.py``). Nothing here knows a frame,
a name or a date. A position trades on two sides of the market: it opens on one and is closed on the other.
"""

from domain.backtest.kernel.numbers import wilder_atr as wilder_atr
from domain.backtest.kernel.outside import book_entry as book_entry
from domain.backtest.kernel.outside import book_exit as book_exit
from domain.backtest.kernel.outside import book_financing as book_financing
from domain.backtest.kernel.outside import review_entry as review_entry
from domain.backtest.kernel.running import ended as ended
from domain.backtest.kernel.running import finish as finish
from domain.backtest.kernel.running import kill as kill
from domain.backtest.kernel.running import run as run
from domain.backtest.kernel.verbs import approve as approve
from domain.backtest.kernel.verbs import halt_for as halt_for
from domain.backtest.kernel.verbs import leave_share as leave_share
from domain.backtest.kernel.verbs import lift as lift
from domain.backtest.kernel.verbs import place as place
