"""What only an index in local files has to face: other processes, damage, forks, locks."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search import (
    IndexSpec,
    IndexState,
    SearchQuery,
    SearchUnavailable,
    SortField,
    build_engine,
)
from search.embedded import EmbeddedEngine
from search.embedded.storage import Busy, Home
from search.engine import Kind

SPEC = IndexSpec(
    name="books",
    searchable=("name", "summary"),
    sorts=(SortField("name", "name", Kind.KEYWORD, descending=False),),
)


def book(identity: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "name": name, "popularity": 0, "audiences": ["all"]} | fields


def ids(engine: EmbeddedEngine, text: str = "") -> list[str]:
    return list(engine.search(SearchQuery(index="books", scope=("all",), text=text)).ids)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[EmbeddedEngine]:
    made = EmbeddedEngine(folder)
    made.rebuild(SPEC, [book("a", "Alpha"), book("b", "Beta")])
    yield made
    made.close()


WRITER = """
import sys
from pathlib import Path
from search.embedded import EmbeddedEngine
from tests.unit.search.test_embedded import SPEC, book
engine = EmbeddedEngine(Path(sys.argv[1]))
engine.ensure_index(SPEC)
for number in range(int(sys.argv[3])):
    engine.upsert("books", [book(f"{sys.argv[2]}{number}", f"Gamma {number}")])
"""


def other_process(folder: Path, prefix: str, writes: int) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), prefix, str(writes)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )


def test_what_another_process_writes_is_seen_at_the_next_search(
    engine: EmbeddedEngine, folder: Path
) -> None:
    assert ids(engine, "gamma") == []
    assert other_process(folder, "x", 1).wait(30) == 0
    assert ids(engine, "gamma") == ["x0"]


def test_several_processes_and_threads_write_and_nothing_is_lost(
    engine: EmbeddedEngine, folder: Path
) -> None:
    others = [other_process(folder, prefix, 5) for prefix in ("x", "y")]
    threads = [
        threading.Thread(target=engine.upsert, args=("books", [book(f"t{at}", "Gamma")]))
        for at in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(60) for process in others] == [0, 0]
    page = engine.search(SearchQuery(index="books", scope=("all",), text="gamma", per_page=50))
    assert page.total == 15


def test_a_rebuild_in_another_engine_is_seen_at_the_next_search(
    engine: EmbeddedEngine, folder: Path
) -> None:
    EmbeddedEngine(folder).rebuild(SPEC, [book("c", "Gamma")])
    assert ids(engine) == ["c"]


def test_synonyms_set_by_another_engine_are_seen(engine: EmbeddedEngine, folder: Path) -> None:
    other = EmbeddedEngine(folder)
    other.ensure_index(SPEC)
    other.set_synonyms("books", [("first", "alpha")])
    assert ids(engine, "first") == ["a"]


def _in_child(engine: EmbeddedEngine, pipe: Any) -> None:
    engine.upsert("books", [book("child", "Gamma")])
    pipe.send(ids(engine, "gamma"))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # a fork is what is tested
def test_an_engine_opened_before_a_fork_works_after_it(engine: EmbeddedEngine) -> None:
    assert ids(engine) == ["a", "b"]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_in_child, args=(engine, theirs))
    child.start()
    child.join(30)
    assert ours.recv() == ["child"]
    assert ids(engine, "gamma") == ["child"]


def generation(folder: Path) -> Path:
    return (
        folder / "books" / json.loads((folder / "books" / "current.json").read_text())["generation"]
    )


def delete_all(folder: Path) -> None:
    shutil.rmtree(folder)


def delete_generation(folder: Path) -> None:
    shutil.rmtree(generation(folder))


def delete_a_file(folder: Path) -> None:
    next(generation(folder).glob("*.term")).unlink()


def shorten_a_file(folder: Path) -> None:
    path = next(generation(folder).glob("*.store"))
    path.write_bytes(path.read_bytes()[:20])


def empty_a_file(folder: Path) -> None:
    next(generation(folder).glob("*.fast")).write_bytes(b"")


def turn_a_bit(folder: Path) -> None:
    path = next(generation(folder).glob("*.idx"))
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def break_the_meta(folder: Path) -> None:
    (generation(folder) / "meta.json").write_text("{")


def break_the_pointer(folder: Path) -> None:
    (folder / "books" / "current.json").write_text('{"generation": "../../etc"')


DAMAGE = [
    (delete_all, IndexState.MISSING),
    (delete_generation, IndexState.MISSING),
    (delete_a_file, IndexState.CORRUPT),
    (shorten_a_file, IndexState.CORRUPT),
    (empty_a_file, IndexState.CORRUPT),
    (turn_a_bit, IndexState.CORRUPT),
    (break_the_meta, IndexState.CORRUPT),
    (break_the_pointer, IndexState.CORRUPT),
]


@pytest.mark.parametrize(("damage", "state"), DAMAGE)
def test_a_damaged_index_says_so_and_is_mended_by_a_rebuild(
    engine: EmbeddedEngine, folder: Path, damage: Any, state: IndexState
) -> None:
    damage(folder)
    fresh = EmbeddedEngine(folder)
    fresh.ensure_index(SPEC, create=False)
    with pytest.raises(SearchUnavailable) as caught:
        ids(fresh)
    assert caught.value.rebuild
    health = fresh.health()
    assert not health.ok
    assert health.indexes[0].state is state
    assert health.indexes[0].reason
    with pytest.raises(SearchUnavailable):
        fresh.upsert("books", [book("c", "Gamma")])
    fresh.rebuild(SPEC, [book("c", "Gamma")])
    assert fresh.health().ok
    assert ids(fresh) == ["c"]
    assert ids(engine) == ["c"]


@pytest.mark.parametrize("damage", [delete_all, delete_generation, break_the_meta])
def test_an_open_index_that_goes_away_is_unavailable_not_a_crash(
    engine: EmbeddedEngine, folder: Path, damage: Any
) -> None:
    assert ids(engine) == ["a", "b"]
    damage(folder)
    with pytest.raises(SearchUnavailable):
        ids(engine)
    engine.rebuild(SPEC, [book("c", "Gamma")])
    assert ids(engine) == ["c"]


def test_damage_to_an_open_index_is_noticed_within_a_second(
    engine: EmbeddedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.embedded.engine._RECHECK_SECONDS", 0.0)
    assert ids(engine) == ["a", "b"]
    # Put in place as a new file: what is mapped into memory must not be cut under our feet.
    path = next(generation(folder).glob("*.idx"))
    spoiled = path.with_suffix(".new")
    spoiled.write_bytes(b"\0" * 100)
    os.replace(spoiled, path)
    with pytest.raises(SearchUnavailable):
        ids(engine)


def test_a_lost_index_is_not_made_anew_without_anyone_being_told(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    assert engine.ensure_index(SPEC) is IndexState.CREATED
    assert engine.ensure_index(SPEC) is IndexState.READY
    delete_generation(folder)
    assert engine.ensure_index(SPEC) is IndexState.MISSING


def test_a_failed_rebuild_leaves_the_old_index_as_it_was(engine: EmbeddedEngine) -> None:
    def docs() -> Iterator[dict[str, Any]]:
        yield book("c", "Gamma")
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        engine.rebuild(SPEC, docs())
    assert ids(engine) == ["a", "b"]
    engine.rebuild(SPEC, [book("c", "Gamma")])
    assert ids(engine) == ["c"]


def test_old_generations_are_swept_away(engine: EmbeddedEngine, folder: Path) -> None:
    for _ in range(3):
        engine.rebuild(SPEC, [book("c", "Gamma")])
    assert len(list((folder / "books").glob("g*-*"))) == 1


def test_a_lock_that_is_held_is_told_after_a_while(engine: EmbeddedEngine, folder: Path) -> None:
    home = Home(folder / "books")
    with home.lock("write", 1), pytest.raises(Busy), home.lock("write", 0.05):
        pass
    assert engine.upsert("books", [book("c", "Gamma")]).ids == ("c",)


def test_a_writer_that_finds_the_lock_held_says_when_to_come_back(
    engine: EmbeddedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.embedded.engine._LOCK_SECONDS", 0.05)
    with Home(folder / "books").lock("write", 1), pytest.raises(SearchUnavailable) as caught:
        engine.upsert("books", [book("c", "Gamma")])
    assert caught.value.retry_after
    assert not caught.value.rebuild


def test_an_index_of_an_older_tantivy_is_stale(
    engine: EmbeddedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.embedded.writing._TANTIVY", "99.0")
    fresh = EmbeddedEngine(folder)
    assert fresh.ensure_index(SPEC) is IndexState.STALE


def test_the_factory_needs_no_server_for_the_embedded_engine(folder: Path) -> None:
    assert build_engine(None, None, folder).name == "embedded"
    assert build_engine("", "", folder).name == "embedded"
    assert not folder.exists()
