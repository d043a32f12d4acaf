"""Components of our own: their scripts are served as files by this server, as the Content-Security-Policy allows no script inside a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest


def serve(package: str, name: str, folder: Path, files: str, version: str = "1") -> None:
    """Register ``folder/files`` with the running server, once; its address is ``package.name``."""
    manager = get_bidi_component_manager()
    if manager.get(f"{package}.{name}") is None:
        manager.register_from_manifest(ComponentManifest(package, version, [ComponentConfig(name, files)]), folder)


def component(package: str, name: str, folder: Path, files: str, html: str) -> Callable[..., Any]:
    """What draws the component whose script is ``folder/files/name.js`` and style ``name.css``."""
    serve(package, name, folder, files)
    return st.components.v2.component(f"{package}.{name}", html=html, css=f"{name}.css", js=f"{name}.js")
