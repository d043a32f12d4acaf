"""Double of whoever publishes calendars and feeds: documents at paths, as ForexFactory's export and RSS feeds are."""

from __future__ import annotations

from collections.abc import Mapping

from tests.doubles.server import Double, HttpRequest, Reply, run

WEEK = """<?xml version="1.0" encoding="windows-1252"?>
<weeklyevents>
	<event><title>CPI m/m</title><country>USD</country><date><![CDATA[07-11-2024]]></date><time><![CDATA[12:30pm]]></time><impact><![CDATA[High]]></impact><forecast><![CDATA[0.1%]]></forecast><previous /></event>
	<event><title>Bank Holiday</title><country>JPY</country><date><![CDATA[07-12-2024]]></date><time><![CDATA[All Day]]></time><impact><![CDATA[Holiday]]></impact><forecast /><previous /></event>
</weeklyevents>
"""
WEEK_JSON = '[{"title":"CPI m\\/m","country":"USD","date":"2024-07-11T08:30:00-04:00","impact":"High","forecast":"0.1%","previous":""}]'
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Markets</title><pubDate>Thu, 11 Jul 2024 13:00:00 GMT</pubDate>
<item><title><![CDATA[Dollar slides after <b>CPI</b> &amp; rates]]></title><link>https://example.com/2</link><pubDate>Thu, 11 Jul 2024 08:45:00 -0400</pubDate></item>
<item><title>Gold at a record</title><link>https://example.com/1</link><pubDate>Thu, 11 Jul 2024 12:31:00 GMT</pubDate></item>
<item><title>An advertisement</title></item>
</channel></rss>
"""
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Markets</title><updated>2024-07-11T13:00:00Z</updated>
<entry><title>Gold at a record</title><published>2024-07-11T12:31:00Z</published><updated>2024-07-11T15:00:00Z</updated></entry>
</feed>
"""
TYPES = {".json": "application/json", ".xml": "application/xml", ".csv": "text/csv", ".html": "text/html"}


class DocumentsDouble(Double):
    def __init__(self, documents: Mapping[str, str]) -> None:
        super().__init__()
        self.documents = dict(documents)

    def reply(self, request: HttpRequest) -> Reply:
        text = self.documents.get(request.path)
        if text is None:
            return Reply(404, b"<html><title>Not found</title></html>", {"Content-Type": "text/html"})
        return Reply(200, text.encode(), {"Content-Type": TYPES.get(request.path[request.path.rfind(".") :], "text/plain")})


if __name__ == "__main__":
    run(DocumentsDouble({"/ff_calendar_thisweek.xml": WEEK, "/ff_calendar_thisweek.json": WEEK_JSON, "/fx.xml": RSS, "/atom.xml": ATOM}), "{0}/ff_calendar_thisweek.xml {0}/ff_calendar_thisweek.json {0}/fx.xml {0}/atom.xml")
