"""Whatever is sent, the API answers in JSON and never with an internal error: requests drawn from its own document, valid, nearly valid and hostile, on both databases."""

from __future__ import annotations

import os
import random
import traceback
from typing import Any
from urllib.parse import quote, urlencode

from tests.app.api.calling import Client
from tests.app.api.test_others import stored
from worker.desk import Desk
from worker.store import Store

CASES = int(os.environ.get("TIDEMARK_CASES", "120"))
WORDS = (
    "", "x", "none", "breakout", "EURUSD", "H1", "M5", "2024-01-01", "2024-13-45", "9999-12-31T23:59:59Z", "0001-01-01", "-1", "0", "1e400", "NaN", "../../etc/passwd", "..%2f..", "\u0000", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "'; DROP TABLE jobs; --", "%s%n", "𝔘𝔫𝔦", "a" * 5_000, "{{7*7}}", "a\r\nSet-Cookie: b=1", "run:1", "NAME@99999999999999999999", "ftmo-1-step", "gbm",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31, 2**63, 2**70, 1e308, -1e308, 0.1, 3.5)
SKIPPED = ("/v1/stream",)          # it does not end


class Draw(random.Random):
    """``real``: ids of what there is, so that requests get further than their first check."""

    real: tuple[str, ...] = ()

    def word(self, schema: dict[str, Any]) -> str:
        return self.choice([*self.real] if self.real and self.random() < 0.4 else [*WORDS, *schema.get("examples", [])])


def value(schema: dict[str, Any], document: dict[str, Any], draw: Draw, depth: int = 0) -> Any:
    """Something of the schema, and now and then not."""
    if "$ref" in schema:
        return value(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, draw, depth + 1)
    if draw.random() < 0.06 or depth > 8:
        return draw.choice([None, True, draw.choice(WORDS), draw.choice(NUMBERS), [], {}, [[]], {"a": {"b": []}}])
    if "anyOf" in schema:
        return value(draw.choice(schema["anyOf"]), document, draw, depth + 1)
    if "enum" in schema or "const" in schema:
        return draw.choice(schema.get("enum", [schema.get("const")]))
    of = schema.get("type")
    if of == "object":
        names = [name for name in schema.get("properties", {}) if name in schema.get("required", ()) or draw.random() < 0.5]
        result = {name: value(schema["properties"][name], document, draw, depth + 1) for name in names}
        return result | ({draw.choice(WORDS): draw.choice([draw.choice(WORDS), draw.choice(NUMBERS), {}])} if schema.get("additionalProperties") or draw.random() < 0.05 else {})
    if of == "array":
        return [value(schema.get("items", {}), document, draw, depth + 1) for _ in range(draw.randrange(3))]
    if of in ("integer", "number"):
        return draw.choice(NUMBERS)
    if of == "boolean":
        return draw.random() < 0.5
    if of == "string" and schema.get("format") == "date-time":
        return draw.choice(["2024-01-01T00:00:00Z", "2024-06-01", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
    return draw.word(schema) if of != "null" else None


def request(path: str, operation: dict[str, Any], document: dict[str, Any], draw: Draw) -> tuple[str, Any]:
    query = []
    for parameter in operation.get("parameters", []):
        given = value(parameter.get("schema", {}), document, draw)
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", quote(str(given), safe=""))
        elif parameter["in"] == "query" and draw.random() < 0.5:
            query += [(parameter["name"], str(each)) for each in (given if isinstance(given, list) else [given])]
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return "/api" + path + (f"?{urlencode(query)}" if query else ""), None if schema is None else value(schema, document, draw)


def test_no_request_ends_in_an_internal_error(desk: Desk, store: Store):
    stored(store, "EURUSD", "H1", "1h", 400)
    client, draw, broken = Client(desk), Draw(CASES), []
    draw.real = (desk.data.catalogue()[0].id, "EURUSD", "H1", "breakout", "2024-01-05")
    document = client.get("/openapi.json").json
    operations = [(path, method, operation) for path, methods in document["paths"].items() for method, operation in methods.items() if path not in SKIPPED]
    for case in range(max(CASES, len(operations))):
        path, method, operation = operations[case % len(operations)]
        address, body = request(path, operation, document, draw)
        try:
            answer = client.call(method.upper(), address, body)
        except Exception as error:      # what the server would log and answer with 500: the case is kept, and the others go on
            broken.append((method, address[:200], str(body)[:300], f"{type(error).__name__}: {error}"[:300], traceback.extract_tb(error.__traceback__)[-1:]))
            continue
        if answer.status >= 500 and not path.endswith("/health"):
            broken.append((method, address[:200], str(body)[:300], answer.body[:200]))
        assert answer.status in (204, 304) or answer.headers["content-type"].partition(";")[0] in ("application/json", "application/problem+json", "text/plain", "application/zip"), address
    assert not broken, "\n".join(map(str, broken[:40]))
