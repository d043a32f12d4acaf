"""Vendors: what each gives, what it needs from the environment, and whether it is available. No key is shown."""

from __future__ import annotations

import streamlit as st

from app.kit.figures import typeset
from app.kit.text import literal
from app.kit.widgets import section
from worker.desk import Desk


def vendors(desk: Desk) -> None:
    section("Vendors", "keys come from the environment only, and are never shown or stored")
    for vendor in desk.downloads.vendors():
        mark = ":orange[:material/science:]" if vendor.double else ":green[:material/check_circle:]" if vendor.ready else ":gray[:material/key_off:]"
        st.markdown(f"{mark} **{literal(vendor.title)}**: {literal(vendor.state)}")
        needs = f" Needs {literal('; '.join(vendor.needs))}." if vendor.needs else " Needs no key."
        st.caption(f"{literal(typeset(vendor.gives))}{needs}")
