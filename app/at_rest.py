"""What Streamlit does while nobody asks it for anything."""

from __future__ import annotations

from streamlit.watcher.polling_path_watcher import PollingPathWatcher


def keep_still() -> None:
    """Streamlit looks fifteen times a second whether its own settings were changed. They are read at the start, where ``worker.listening`` checks them; a later change waits for the next."""
    PollingPathWatcher._schedule = lambda self: None        # type: ignore[method-assign]
