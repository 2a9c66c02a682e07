"""One walk through all that the adapter asks of a server: what was recorded is replayed."""

from __future__ import annotations

from typing import Any

from search import And, Eq, FilterField, In, IndexSpec, SearchEngine, SearchQuery, SortField

SPEC = IndexSpec(
    name="books",
    searchable=("name", "summary"),
    facets=(FilterField("shelf"), FilterField("kind")),
    sorts=(SortField("popular", "popularity"),),
)
BOOKS = [
    {"id": "a", "name": "Node.js", "summary": "A runtime", "shelf": ["code"], "kind": "app"},
    {"id": "b", "name": "HubSpot CRM", "summary": "Sales", "shelf": ["crm"], "kind": "app"},
    {"id": "c", "name": "Café C#", "summary": "Drinks", "shelf": ["code"], "kind": "template"},
]


def book(**fields: Any) -> dict[str, Any]:
    return {"popularity": 0, "audiences": ["all"]} | fields


def ask(text: str = "", **more: Any) -> SearchQuery:
    return SearchQuery(index="books", scope=("all",), text=text, **more)


def everything(engine: SearchEngine) -> dict[str, Any]:
    """What each step gave, in the order in which it was asked."""
    found: dict[str, Any] = {}
    found["ensure"] = engine.ensure_index(SPEC).value
    engine.wait(engine.upsert("books", [book(**fields) for fields in BOOKS]), 30)
    page = engine.search(ask("nodejs", facets=("shelf", "kind"), highlight=("name",)))
    found["joined"] = [page.ids, page.total, page.hits[0].highlights["name"].spans]
    filters = And((In("shelf", ("code",)), Eq("kind", "app")))
    page = engine.search(ask(filters=filters, facets=("shelf", "kind")))
    found["facets"] = [
        page.ids,
        {name: [(item.value, item.count) for item in v] for name, v in page.facets.items()},
    ]
    page = engine.search(ask("the hubspot crm system"))
    found["dropped"] = [page.ids, sorted(page.dropped)]
    page = engine.search(ask("mode js", words_drop=False))
    found["corrected"] = [page.ids, page.corrected]
    values = engine.facet_values(ask(), "shelf", "c")
    found["values"] = [(item.value, item.count) for item in values]
    engine.wait(engine.set_synonyms("books", [("espresso", "cafe")]), 30)
    found["synonym"] = engine.search(ask("espresso")).ids
    engine.wait(engine.delete("books", ["a"]), 30)
    found["prints"] = sorted(identity for identity, _ in engine.fingerprints("books"))
    report = engine.rebuild(SPEC, [book(**BOOKS[0])], catch_up=lambda: [book(**BOOKS[1]), "gone"])
    found["rebuilt"] = [report.documents, dict(report.rejected)]
    found["after"] = sorted(engine.search(ask()).ids)
    health = engine.health()
    found["health"] = [health.ok, health.indexes[0].documents]
    return found
