from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from search import IndexSpec, SearchQuery, WriteFailed, build_engine
from search.embedded import EmbeddedEngine
from search.engine import Document, SearchEngine, Ticket
from search.indexing import Drift, apply, mend, rebuild, verify, write

SPEC = IndexSpec(name="books", searchable=("name",))


def book(identity: str, name: str) -> dict[str, Any]:
    return {"id": identity, "name": name, "popularity": 0, "audiences": ["all"]}


class Source:
    """What a database would be."""

    def __init__(self, *docs: dict[str, Any]) -> None:
        self.docs = {doc["id"]: doc for doc in docs}

    def load(self, ids: Sequence[str]) -> Iterable[Document]:
        return [self.docs[identity] for identity in ids if identity in self.docs]

    def all(self) -> Iterator[Document]:
        yield from self.docs.values()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SearchEngine]:
    made = build_engine(None, None, tmp_path)
    made.ensure_index(SPEC)
    yield made
    made.close()


def ids(engine: SearchEngine) -> list[str]:
    return sorted(engine.search(SearchQuery(index="books", scope=("all",))).ids)


def test_applying_writes_what_is_there_and_deletes_what_is_not(engine: SearchEngine) -> None:
    source = Source(book("a", "Alpha"), book("b", "Beta"))
    done = apply(engine, "books", ["a", "b", "c", "a"], source.load)
    assert (done.written, done.deleted, done.rejected) == (2, 1, {})
    del source.docs["a"]
    apply(engine, "books", ["a"], source.load)
    assert ids(engine) == ["b"]


def test_applying_twice_changes_nothing(engine: SearchEngine) -> None:
    source = Source(book("a", "Alpha"))
    for _ in range(2):
        apply(engine, "books", ["a"], source.load)
    assert ids(engine) == ["a"]


class Picky(EmbeddedEngine):
    """An engine that refuses some documents without saying which."""

    def upsert(self, index: str, docs: Iterable[Document]) -> Ticket:
        found = list(docs)
        if any(doc["name"] == "Bad" for doc in found):
            raise WriteFailed("something in there is bad")
        return super().upsert(index, found)


def test_one_bad_document_does_not_hold_up_a_thousand(tmp_path: Path) -> None:
    engine = Picky(tmp_path)
    engine.ensure_index(SPEC)
    docs = [book(f"d{at}", "Good") for at in range(40)]
    docs[7] = book("bad-1", "Bad")
    docs[31] = book("bad-2", "Bad")
    assert set(write(engine, "books", docs)) == {"bad-1", "bad-2"}
    assert len(list(engine.fingerprints("books"))) == 38


def test_a_refused_document_does_not_go_on_being_found_as_it_was(tmp_path: Path) -> None:
    engine = Picky(tmp_path)
    engine.ensure_index(SPEC)
    source = Source(book("a", "Alpha"))
    apply(engine, "books", ["a"], source.load)
    source.docs["a"] = book("a", "Bad")
    done = apply(engine, "books", ["a"], source.load)
    assert done.rejected == {"a": "something in there is bad"}
    assert ids(engine) == []


def test_drift_is_told_by_kind_and_mended(engine: SearchEngine) -> None:
    source = Source(book("same", "Same"), book("changed", "Old"), book("extra", "Extra"))
    apply(engine, "books", source.docs, source.load)
    assert verify(engine, "books", source.all()).clean
    del source.docs["extra"]
    source.docs["changed"] = book("changed", "New")
    source.docs["missing"] = book("missing", "Missing")
    drift = verify(engine, "books", source.all())
    assert drift == Drift(3, ("missing",), ("extra",), ("changed",), total=3)
    assert not drift.clean
    mend(engine, "books", drift, source.load)
    assert verify(engine, "books", source.all()).clean


def test_a_hidden_audience_is_content_too(engine: SearchEngine) -> None:
    source = Source(book("a", "Alpha"))
    apply(engine, "books", ["a"], source.load)
    source.docs["a"] = book("a", "Alpha") | {"audiences": ["staff"]}
    assert verify(engine, "books", source.all()).changed == ("a",)


def test_a_rebuild_replays_what_changed_and_what_went_meanwhile(engine: SearchEngine) -> None:
    source = Source(book("a", "Alpha"), book("b", "Beta"))
    changed: list[str] = []

    def docs() -> Iterator[Document]:
        yield from list(source.docs.values())
        source.docs["a"] = book("a", "Alpha Two")
        source.docs["c"] = book("c", "Gamma")
        del source.docs["b"]
        changed.extend(["a", "b", "c"])

    rebuild(engine, SPEC, docs(), changed_ids=lambda: changed, load=source.load)
    assert ids(engine) == ["a", "c"]
    assert verify(engine, "books", source.all()).clean
