"""The server: the pages, and beside them the API, in JSON only."""

from __future__ import annotations

import logging
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.concurrency import run_in_threadpool  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402
from starlette.routing import Mount, Route, WebSocketRoute  # noqa: E402

from app.api.entry import Elsewhere, Entry  # noqa: E402
from app.at_rest import keep_still  # noqa: E402
from app.desk import desk  # noqa: E402
from app.entrance import PATHS, Entrance  # noqa: E402
from app.gate import Gate  # noqa: E402
from app.guard import Guard  # noqa: E402
from app.kit.figures import typeset  # noqa: E402
from app.kit.signed_out import farewell, signed_out  # noqa: E402
from app.kit.text import literal  # noqa: E402
from app.large_files import LargeFiles  # noqa: E402
from app.traced import Traced  # noqa: E402
from worker.desk import Refused, SignedOut, follow_logs, health_here, load, shown, trouble  # noqa: E402

log = logging.getLogger("app")
sys.setswitchinterval(0.001)        # seconds that a page which is drawn keeps others waiting: an answer to a program comes back for the interpreter several times
keep_still()


async def health(request: Request) -> JSONResponse:
    """200 if database and queue answer and a worker is alive, else 503 and what is wrong."""
    parts = await run_in_threadpool(health_here, desk)
    well = all(part.state != "failed" for part in parts)
    more = {} if settings.people.required else {"parts": {part.part.lower(): part.state for part in parts}}        # signed out, one learns no more than whether it is well
    return JSONResponse({"status": "ok" if well else "failed", **more}, 200 if well else 503)


def show_error(error: Exception) -> bool:
    """A refusal is a sentence; a bug is an id here and its traceback in the log."""
    if isinstance(error, SignedOut):
        signed_out()
        return True
    if isinstance(error, Refused):
        st.error(literal(typeset(shown(str(error)))), icon=":material/error:")
        return True
    if sentence := trouble(error):
        log.warning("a page: %s", sentence)
        st.error(literal(sentence), icon=":material/error:")
        return True
    error_id = secrets.token_hex(3)
    log.error("error %s on a page", error_id, exc_info=error)
    st.error(f"The details are in the log, under the id {error_id}. Your inputs are kept.", title="Internal error", icon=":material/error:")
    return True


entry = Entry(desk)
api = Starlette(routes=[Route("/health", health), Mount("/", app=entry)])
routes = [Mount("/api", app=api), Route("/health", health), Route("/metrics", Elsewhere(entry, "/api/v1/metrics")), WebSocketRoute("/ws", Elsewhere(entry, "/api/v1/stream"))]
settings = load()
traced = Middleware(Traced, log_each=follow_logs())
large_files = Middleware(LargeFiles, most=settings.data.max_import_mb * 1_000_000, total=settings.data.staged_mb * 1_000_000)
app = st.App(ROOT / "app" / "main.py", routes=routes, middleware=[traced, large_files], on_script_error=show_error)
if settings.people.required:
    app = Gate(app, desk, Entrance(desk).app(), PATHS, farewell())      # type: ignore[assignment]
app = Guard(app, settings.app.names, settings.api.sites)      # type: ignore[assignment]  # Streamlit finds an st.App by this name, and serves the guard around it
