"""Numbers as they are written everywhere, for pages."""

from __future__ import annotations

from domain.formatting import DASH as DASH
from domain.formatting import MINUS as MINUS
from domain.formatting import THIN as THIN
from domain.formatting import label as label
from domain.formatting import money as money
from domain.formatting import multiple as multiple
from domain.formatting import number as number
from domain.formatting import percent as percent
from domain.formatting import plural as plural
from domain.formatting import short as short
from domain.formatting import trimmed as trimmed
