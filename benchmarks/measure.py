"""One size, in a process of its own: import, rebuild, search, pages. Prints JSON.

python -m benchmarks.measure SIZE FOLDER
"""

import contextlib
import gc
import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import event, select
from werkzeug.datastructures import MultiDict
from werkzeug.test import EnvironBuilder

from benchmarks.corpus import mixed_queries, read_source, write_catalogue
from benchmarks.timing import milliseconds, percentiles
from marketplace.api.v1.parameters import parse_listing_search
from marketplace.app import create_app
from marketplace.catalogue.discovery import services as discovery
from marketplace.catalogue.discovery.parameters import FACETS
from marketplace.catalogue.exchange.services import import_catalogue
from marketplace.catalogue.exchange.services.report import Outcome
from marketplace.catalogue.indexing import services as indexing
from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS, SPECS
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from search.engine import SearchQuery, SearchUnavailable

QUERIES = 500
OFF_QUERIES = 100
BLOCK = 50
CASES = Path(__file__).parent / "relevance" / "cases.jsonl"
_FIELDS = tuple(rule.field for rule in FACETS.values() if rule.shown)


class SwitchedOff:
    """In the engine's place: search is switched off."""

    name = "off"

    def search(self, _query: SearchQuery) -> None:
        """Never answers."""
        raise SearchUnavailable("switched off for the measurement")


def main() -> int:
    """Measure SIZE listings in FOLDER (DATA_DIR and DATABASE_URL point there already)."""
    size, folder = int(sys.argv[1]), Path(sys.argv[2])
    logging.disable(logging.CRITICAL)
    app = create_app()
    with app.app_context():
        db.create_all()
        found = _fill(size, folder)
        names, taglines = _texts()
        queries = mixed_queries(names, taglines, QUERIES)
        found |= _search(app, queries)
        found["queries_a_page"] = _queries_a_page(app, queries)
        # The cases were judged on the connectors.
        if size <= 2_000 and read_source().name == "connectors":
            found["relevance"] = _relevance()
    print(json.dumps(found))
    return 0


def _fill(size: int, folder: Path) -> dict[str, Any]:
    file = folder / "catalogue.jsonl"
    count = write_catalogue(read_source(), size, file)
    report = import_catalogue(file)
    again = import_catalogue(file)
    rebuilt = []
    for spec in SPECS:
        started = time.perf_counter()
        done = indexing.rebuild(spec)
        rebuilt.append((done.documents, time.perf_counter() - started))
    documents, seconds = rebuilt[0]
    stats = indexing.engine().stats(LISTINGS.name)
    return {
        "listings": count,
        "imported": report.count("listing", Outcome.CREATED),
        "refused": report.total(Outcome.REFUSED),
        "import_per_second": round(report.lines / report.seconds, 1),
        "import_again_per_second": round(again.lines / again.seconds, 1),
        "rebuild_per_second": round(documents / seconds, 1),
        "index_bytes": stats.bytes,
        "file_bytes": file.stat().st_size,
    }


def _texts() -> tuple[list[str], list[str]]:
    rows = db.session.execute(
        select(Listing.name, Listing.tagline).order_by(Listing.id).limit(20_000)
    ).all()
    db.session.rollback()
    return [row.name for row in rows], [row.tagline for row in rows]


def _search(app: Flask, queries: list[dict[str, Any]]) -> dict[str, Any]:
    """The bare engine call against the API around it, block by block in turn."""
    engine = indexing.engine()
    bare_calls = [_engine_query(query) for query in queries]
    environs = [_environ(query) for query in queries]
    for call, environ in list(zip(bare_calls, environs, strict=True))[:25]:
        engine.search(call)
        _answer(app, environ)
    gc.collect()
    gc.freeze()
    bare: list[float] = []
    api: list[float] = []
    for number, start in enumerate(range(0, len(queries), BLOCK)):
        part = slice(start, start + BLOCK)
        turns = [
            (bare, [partial(engine.search, call) for call in bare_calls[part]]),
            (api, [partial(_answer, app, environ) for environ in environs[part]]),
        ]
        # Who comes second finds the engine's caches a little warmer: they take turns.
        for times, works in turns if number % 2 else reversed(turns):
            times.extend(milliseconds(work) for work in works)
    app.extensions["portico_search"] = SwitchedOff()
    off = [milliseconds(partial(_answer, app, environ)) for environ in environs[:OFF_QUERIES]]
    app.extensions["portico_search"] = engine
    plain, whole, without = percentiles(bare), percentiles(api), percentiles(off)
    return {
        "engine": plain.as_json(),
        "api": whole.as_json(),
        "api_search_off": without.as_json(),
        "api_to_engine": {"p50": _ratio(whole.p50, plain.p50), "p95": _ratio(whole.p95, plain.p95)},
        "api_to_search_off": {
            "p50": _ratio(whole.p50, without.p50),
            "p95": _ratio(whole.p95, without.p95),
        },
    }


def _engine_query(query: dict[str, Any]) -> SearchQuery:
    search = parse_listing_search(MultiDict(query))
    return SearchQuery(
        index=LISTINGS.name,
        scope=AUDIENCES,
        text=search.text,
        filters=discovery.engine_filter(search),
        facets=_FIELDS,
        sort=search.sort,
        page=search.page,
        per_page=search.per_page,
    )


def _environ(query: dict[str, Any]) -> dict[str, Any]:
    builder = EnvironBuilder(path="/api/v1/listings", query_string=urlencode(query))
    return builder.get_environ()


def _answer(app: Flask, environ: dict[str, Any]) -> None:
    status: list[str] = []
    body = app.wsgi_app(dict(environ), lambda line, _headers, _error=None: status.append(line))
    size = sum(len(part) for part in body)
    close = getattr(body, "close", None)
    if close is not None:
        close()
    if not status or not status[0].startswith("200") or not size:
        raise RuntimeError(f"{environ['QUERY_STRING']} answered {status}")


def _queries_a_page(app: Flask, queries: list[dict[str, Any]]) -> dict[str, int]:
    client = app.test_client()
    text = next(query["q"] for query in queries if "q" in query)
    slug = db.session.scalar(select(Listing.slug).order_by(Listing.id).limit(1))
    db.session.rollback()
    paths = {
        "home": "/",
        "search": f"/search?{urlencode({'q': text.split()[0]})}",
        "listing": f"/listings/{slug}",
        "api": f"/api/v1/listings?{urlencode({'q': text.split()[0]})}",
    }
    found = {}
    for name, path in paths.items():
        client.get(path)
        with _counted() as statements:
            status = client.get(path).status_code
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        found[name] = len(statements)
    return found


@contextlib.contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def _relevance() -> dict[str, Any]:
    evaluation = indexing.evaluate(CASES)
    return {
        "left_out": len(evaluation.left_out),
        **{kind: asdict(figures) for kind, figures in evaluation.figures.items()},
    }


def _ratio(one: float, other: float) -> float:
    return round(one / other, 2)


if __name__ == "__main__":
    raise SystemExit(main())
