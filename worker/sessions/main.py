"""The process of trading sessions: of ``make run`` one, of several machines one each, which share what is there."""

from __future__ import annotations

import sys

from sqlalchemy.exc import SQLAlchemyError

from domain.errors import TidemarkError
from worker.main import heartbeat, open_store, set_up_logging, stop_event
from worker.memory import keep_freed
from worker.private import keep_private
from worker.sessions.accounts import LiveAccounts
from worker.sessions.runner import Runner
from worker.settings import Settings, load
from worker.trouble import addresses, hide_in_logs, redacted, sentence_of


def serve(settings: Settings) -> None:
    stopping, store = stop_event(), open_store(settings)
    with heartbeat(store, "sessions"):
        Runner(store, settings, LiveAccounts()).run(stopping)
    store.close()


def main() -> int:
    keep_private()
    set_up_logging()
    keep_freed()
    try:
        settings = load()
        hide_in_logs(settings)
        serve(settings)
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        print(sentence_of(error, *addresses(settings)) or redacted(str(error), *addresses(settings)), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
