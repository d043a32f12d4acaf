"""Help: the documents of this version, searched and read; keyboard shortcuts."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from app.help.documents import Document, documents, search, shown
from app.help.shortcuts import keys
from app.kit.address import address_value, missing
from app.kit.figures import plural
from app.kit.page import Page
from app.kit.text import literal
from app.kit.widgets import go, head, section, table

PAGE = Page("Help", "System", 20, "help")
MOST = 40       # places that a search shows


def render(desk) -> None:
    everything = documents()
    head("Help", f"{plural(len(everything), 'document')} of this version")
    name = address_value("doc")
    if name and name not in everything:
        missing("document", name, "Choose one below.")
    words = st.text_input("Search", key="help-search", placeholder="for example: trailing stop", icon=":material/search:")
    if words.strip():
        return _hits(words, everything)
    if name in everything:
        return _document(everything[name])
    _contents(everything)
    section("Keyboard shortcuts")
    table(keys(), {"Where": "Where", "Keys": "Keys", "What they do": "What they do"}, "Keys that work on the pages")


def _contents(everything: dict[str, Document]) -> None:
    section("Documents", "select one to read it")
    with st.grid(3, min_column_width=250, gap="xsmall"):
        for document in everything.values():
            if st.button(document.title, key=f"doc-{document.name}", type="tertiary", icon=":material/article:", help=", ".join(document.headings[:6]) or None):
                go("help", doc=document.name)


def _document(document: Document) -> None:
    if st.button("All documents", icon=":material/arrow_back:", type="tertiary"):
        go("help")
    st.header(literal(document.title), anchor=False)
    with st.container(width=860):
        st.markdown(shown(document.text))


def _hits(words: str, everything: dict[str, Document]) -> None:
    hits = list(islice(search(words, everything), MOST + 1))
    section("Results", f"{MOST}, more exist: add a word" if len(hits) > MOST else plural(len(hits), "place"))
    if not hits:
        st.caption("No document holds all of these words. Try fewer, or another one.")
    for number, hit in enumerate(hits[:MOST]):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            label = f"{hit.document.title}: {hit.heading}" if hit.heading != hit.document.title else hit.heading
            st.button(label, key=f"hit-{number}", type="tertiary", on_click=_open, args=(hit.document.name,))
            st.caption(literal(hit.line[:240]))


def _open(name: str) -> None:
    st.query_params.from_dict({"doc": name})
    st.session_state["help-search"] = ""
