"""The engines that the contract is demanded of, and a small index to demand it on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search import (
    FilterField,
    IndexSpec,
    Kind,
    SearchEngine,
    SearchPage,
    SearchQuery,
    SortField,
    build_engine,
)

PUBLIC = ("public",)


def spec_named(name: str, **changes: Any) -> IndexSpec:
    """A spec with every kind of field."""
    shape: dict[str, Any] = {
        "searchable": ("name", "aliases", "publisher", "summary", "description"),
        "names": ("name", "aliases"),
        "facets": (
            FilterField("category"),
            FilterField("kind"),
            FilterField("band", Kind.INTEGER),
            FilterField("certified", Kind.BOOL),
        ),
        "filters": (FilterField("rating", Kind.NUMBER), FilterField("published", Kind.INTEGER)),
        "sorts": (
            SortField("popular", "popularity"),
            SortField("rating", "rating", Kind.NUMBER),
            SortField("oldest", "published", descending=False),
            SortField("name", "name_sort", Kind.KEYWORD, descending=False),
        ),
    }
    return IndexSpec(name=name, **(shape | changes))


def document(identity: str, name: str = "", **fields: Any) -> dict[str, Any]:
    """A document that everyone may see."""
    base: dict[str, Any] = {
        "id": identity,
        "name": name,
        "name_sort": name.lower() or None,
        "popularity": 0,
        "audiences": ["public"],
    }
    return base | fields


class Bench:
    """An engine with one index, and short ways to ask it."""

    def __init__(self, engine: SearchEngine, spec: IndexSpec) -> None:
        self.engine = engine
        self.spec = spec
        self.index = spec.name

    def put(self, *docs: dict[str, Any]) -> None:
        """Write documents and wait until they are visible."""
        self.engine.wait(self.engine.upsert(self.index, docs), 30)

    def ask(self, text: str = "", **more: Any) -> SearchPage:
        """Search as anyone may."""
        return self.engine.search(
            SearchQuery(**({"index": self.index, "scope": PUBLIC, "text": text} | more))
        )

    def ids(self, text: str = "", **more: Any) -> list[str]:
        """The ids found, in order."""
        return list(self.ask(text, **more).ids)

    def strict(self, text: str) -> list[str]:
        """The ids found without words dropping or being respelled."""
        return self.ids(text, words_drop=False, correct=False)


SERVER = os.environ.get("MEILISEARCH_TEST_URL")
ENGINES = ("embedded", "meilisearch") if SERVER else ("embedded",)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchEngine]:
    """Each engine in turn; Meilisearch where there is a server."""
    url = SERVER if request.param == "meilisearch" else None
    made = build_engine(url, os.environ.get("MEILISEARCH_TEST_KEY"), tmp_path / "index")
    yield made
    made.close()


@pytest.fixture
def bench(engine: SearchEngine) -> Iterator[Bench]:
    """An engine with an empty index of its own."""
    spec = spec_named(f"contract_{secrets.token_hex(4)}")
    engine.ensure_index(spec)
    yield Bench(engine, spec)
    drop = getattr(engine, "drop_index", None)
    if drop:
        drop(spec.name)
