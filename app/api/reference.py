"""The reference as a page without scripts and without requests elsewhere: made from the OpenAPI document."""

from __future__ import annotations

import json
from html import escape
from typing import Any

STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}h2{margin-top:2.5rem}details{border-top:1px solid #8884;padding:.4rem 0}"
    "summary{cursor:pointer}code,pre{font:13px/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.6rem;border:1px solid #8884}.m{display:inline-block;width:4.5rem;font-weight:600}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}"
)


def page(document: dict[str, Any]) -> str:
    """Every path with parameters, body and answers, by tag."""
    info, tags = document["info"], dict[str, list[str]]()
    base = document.get("servers", [{"url": ""}])[0]["url"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation.get("tags", ["other"])[0], []).append(_operation(base + path, method, operation, document))
    menu = " · ".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in tags)
    body = "".join(f'<h2 id="{escape(tag)}">{escape(tag.capitalize())}</h2>{"".join(sections)}' for tag, sections in tags.items())
    head = f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(info['title'])} API</title><style>{STYLE}</style>"
    return f"{head}<h1>{escape(info['title'])} API</h1><p>{escape(info.get('description', ''))}</p><p><a href='/api/v1/openapi.json'>OpenAPI {escape(document['openapi'])}</a></p><p>{menu}</p>{body}</html>"


def _operation(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    rows = "".join(f"<tr><td><code>{escape(each['name'])}</code><td>{escape(each['in'])}<td>{escape(_type(each.get('schema', {})))}<td>{escape(each.get('description', each.get('schema', {}).get('description', '')))}" for each in operation.get("parameters", []))
    table = f"<table><tr><th>Parameter<th>In<th>Type<th>{rows}</table>" if rows else ""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    body = f"<p>Body</p><pre>{escape(json.dumps(resolved(content, document), indent=1, ensure_ascii=False))}</pre>" if content else ""
    answers = ", ".join(f"{status} {answer.get('description', '')}" for status, answer in operation.get("responses", {}).items())
    return f"<details><summary><span class=m>{method.upper()}</span><code>{escape(path)}</code> {escape(first_sentence(operation.get('description', '')))}</summary><p>{escape(operation.get('description', ''))}</p>{table}{body}<p>Answers: {escape(answers)}</p></details>"


def first_sentence(text: str) -> str:
    """
    >>> first_sentence("Run a backtest. The same request is the same job."), first_sentence("Jobs, newest first.")
    ('Run a backtest', 'Jobs, newest first')
    """
    return text.partition(". ")[0].removesuffix(".")


def _type(schema: dict[str, Any]) -> str:
    """
    >>> _type({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]})
    'string'
    """
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"] if each.get("type") != "null")
    return f"list of {_type(schema['items'])}" if schema.get("type") == "array" and "items" in schema else str(schema.get("type", schema.get("const", "")))


def resolved(schema: dict[str, Any] | None, document: dict[str, Any], depth: int = 0) -> Any:
    """A schema with those that it refers to written in."""
    if schema is None or depth > 6:
        return schema
    if "$ref" in schema:
        return resolved(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, depth + 1)
    return {name: resolved(value, document, depth + 1) if isinstance(value, dict) else [resolved(each, document, depth + 1) if isinstance(each, dict) else each for each in value] if isinstance(value, list) else value for name, value in schema.items()}
