"""The life of an embedded index: opening, reloading, writing, swapping, health.

Any number of processes may read while one writes: a reader looks at two file stamps before
each query and reloads when they changed.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import tantivy  # noqa: TID251 - this folder is the one that speaks to tantivy

from search.embedded import writing
from search.embedded.answer import Answerer
from search.embedded.memory import keep_freed_memory
from search.embedded.storage import (
    META,
    Busy,
    Damaged,
    Home,
    Pointer,
    Signature,
    check_files,
    signature,
)
from search.engine import (
    Capability,
    Document,
    FacetValue,
    Health,
    IndexHealth,
    IndexSpec,
    IndexState,
    IndexStats,
    RebuildReport,
    SearchPage,
    SearchQuery,
    SearchUnavailable,
    Ticket,
    UnknownIndex,
    WriteFailed,
)
from search.ranking import Synonyms

_LOCK_SECONDS = 20.0
_RECHECK_SECONDS = 1.0
"""How often the files of an open index are looked at, against damage from outside."""


class _Open:
    """A generation that is open for reading, as of one commit."""

    def __init__(self, home: Home, pointer: Pointer, index: tantivy.Index) -> None:
        self.pointer = pointer
        self.index = index
        self.folder = home.generation(pointer)
        self.known: dict[str, Signature] = {}
        self.meta: Signature | None = None
        self.pointer_mark: Signature | None = None
        self.checked = 0.0
        self.answerer: Answerer | None = None


class EmbeddedEngine:
    """A :class:`search.engine.SearchEngine` in this process."""

    name = "embedded"
    capabilities = frozenset({Capability.CJK})

    def __init__(self, path: Path) -> None:
        keep_freed_memory()
        self._root = Path(path)
        self._specs: dict[str, IndexSpec] = {}
        self._open: dict[str, _Open] = {}
        self._lock = threading.RLock()
        os.register_at_fork(after_in_child=partial(_forked, weakref.ref(self)))

    # Indexes

    def ensure_index(self, spec: IndexSpec, *, create: bool = True) -> IndexState:
        """See :class:`search.engine.SearchEngine`."""
        with self._lock:
            self._specs[spec.name] = spec
            self._open.pop(spec.name, None)
        home = self._home(spec.name)
        state = self._state(spec)[0]
        if state is not IndexState.MISSING or not create or home.pointer_path.exists():
            return state
        try:
            with home.lock("write", _LOCK_SECONDS):
                if home.pointer_path.exists():  # another process was quicker
                    return self._state(spec)[0]
                generation = home.new_generation()
                pointer = Pointer(generation, writing.stamp(spec), spec.synonyms)
                writing.create(spec, home.generation(pointer))
                home.publish(pointer)
        except (OSError, Busy) as error:
            raise SearchUnavailable(f"the index cannot be created: {error}") from error
        return IndexState.CREATED

    def _home(self, index: str) -> Home:
        return Home(self._root / index)

    def _spec(self, index: str) -> IndexSpec:
        try:
            return self._specs[index]
        except KeyError:
            raise UnknownIndex(f"no index {index!r} was made known") from None

    def _state(self, spec: IndexSpec) -> tuple[IndexState, str, int]:
        try:
            reader = self._reader(spec)
        except _NotReady as error:
            return error.state, error.reason, 0
        return IndexState.READY, "", reader.documents

    # Reading

    def search(self, query: SearchQuery) -> SearchPage:
        """See :class:`search.engine.SearchEngine`."""
        started = time.perf_counter()
        with self._answering(query.index) as answerer:
            page = answerer.search(query)
        return replace(page, took_ms=(time.perf_counter() - started) * 1000)

    def facet_values(
        self, query: SearchQuery, facet: str, prefix: str = "", limit: int = 20
    ) -> tuple[FacetValue, ...]:
        """See :class:`search.engine.SearchEngine`."""
        with self._answering(query.index) as answerer:
            return answerer.facet_values(query, facet, prefix, limit)

    def fingerprints(self, index: str) -> Iterator[tuple[str, str]]:
        """See :class:`search.engine.SearchEngine`."""
        with self._answering(index) as answerer:
            yield from answerer.fingerprints()

    @contextmanager
    def _answering(self, index: str) -> Iterator[Answerer]:
        """The current reader; whatever goes wrong inside it is told as unavailable."""
        spec = self._spec(index)
        try:
            yield self._reader(spec)
        except _NotReady as error:
            raise SearchUnavailable(error.reason, rebuild=True) from error
        except (ValueError, OSError) as error:
            # tantivy tells everything by these two; the callers' mistakes are ours and others.
            self._forget(index)
            raise SearchUnavailable(f"the index failed: {error}", rebuild=True) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # what Rust raises, not an Exception
                raise
            self._forget(index)
            raise SearchUnavailable("the index failed badly", rebuild=True) from error

    def _forget(self, index: str) -> None:
        with self._lock:
            self._open.pop(index, None)

    def _reader(self, spec: IndexSpec) -> Answerer:
        """The reader as of the newest commit of any process. Raises :class:`_NotReady`."""
        home = self._home(spec.name)
        opened = self._open.get(spec.name)
        if opened is not None and opened.answerer is not None:
            now = time.monotonic()
            if (
                signature(home.pointer_path) == opened.pointer_mark
                and signature(opened.folder / META) == opened.meta
                and (now - opened.checked < _RECHECK_SECONDS or self._recheck(opened, now))
            ):
                return opened.answerer
        with self._lock:
            return self._reopen(spec, home)

    @staticmethod
    def _recheck(opened: _Open, now: float) -> bool:
        opened.checked = now
        return all(signature(opened.folder / name) == mark for name, mark in opened.known.items())

    def _reopen(self, spec: IndexSpec, home: Home) -> Answerer:
        """Open or reload; the caller holds the lock."""
        opened = self._open.get(spec.name)
        try:
            mark = signature(home.pointer_path)
            pointer = home.pointer()
            if pointer is None:
                raise _NotReady(IndexState.MISSING, "there is no index")
            if pointer.stamp != writing.stamp(spec):
                raise _NotReady(IndexState.STALE, "the index was built for another schema")
            folder = home.generation(pointer)
            if not (folder / META).exists():
                raise _NotReady(IndexState.MISSING, "the folder of the index is gone")
            if opened is None or opened.pointer.generation != pointer.generation:
                opened = _Open(home, pointer, tantivy.Index.open(str(folder)))
                opened.index.config_reader("manual")
            opened.pointer, opened.pointer_mark = pointer, mark
            opened.meta = signature(folder / META)
            opened.known = check_files(folder, opened.known)
            opened.checked = time.monotonic()
            opened.index.reload()
            opened.answerer = Answerer(
                spec, opened.index.schema, opened.index.searcher(), Synonyms(pointer.synonyms)
            )
        except (Damaged, ValueError, OSError) as error:
            self._open.pop(spec.name, None)
            raise _NotReady(IndexState.CORRUPT, f"the index is damaged: {error}") from error
        except _NotReady:
            self._open.pop(spec.name, None)
            raise
        self._open[spec.name] = opened
        return opened.answerer

    # Writing

    def upsert(self, index: str, docs: Iterable[Document]) -> Ticket:
        """See :class:`search.engine.SearchEngine`. One commit; all of it or nothing."""
        spec = self._spec(index)
        flat: dict[str, tantivy.Document] = {}
        for doc in docs:
            identity = str(doc.get("id"))
            flat.pop(identity, None)
            flat[identity] = writing.document(spec, doc)
        return self._write(spec, list(flat), list(flat.values()))

    def delete(self, index: str, ids: Iterable[str]) -> Ticket:
        """See :class:`search.engine.SearchEngine`."""
        return self._write(self._spec(index), list(dict.fromkeys(ids)), [])

    def _write(self, spec: IndexSpec, gone: list[str], docs: list[tantivy.Document]) -> Ticket:
        home = self._home(spec.name)
        if not gone:
            return Ticket(spec.name, "done")
        try:
            with home.lock("write", _LOCK_SECONDS):
                writing.write(self._writable(spec, home), gone, docs)
        except Busy as error:
            raise SearchUnavailable(str(error), retry_after=1.0) from error
        except (OSError, ValueError) as error:
            raise WriteFailed(f"the index could not be written: {error}", ids=gone) from error
        return Ticket(spec.name, "done", tuple(gone))

    def _writable(self, spec: IndexSpec, home: Home) -> tantivy.Index:
        """The live generation, for the holder of the lock."""
        try:
            pointer = home.pointer()
            if pointer is None or not (home.generation(pointer) / META).exists():
                raise SearchUnavailable("there is no index", rebuild=True)
            if pointer.stamp != writing.stamp(spec):
                raise SearchUnavailable("the index was built for another schema", rebuild=True)
            opened = self._open.get(spec.name)
            check_files(home.generation(pointer), dict(opened.known) if opened else {})
            return tantivy.Index.open(str(home.generation(pointer)))
        except (Damaged, ValueError) as error:
            raise SearchUnavailable(f"the index is damaged: {error}", rebuild=True) from error

    def wait(self, ticket: Ticket, timeout: float = 10.0) -> None:
        """See :class:`search.engine.SearchEngine`. A write is visible when it returned."""

    def set_synonyms(self, index: str, groups: Sequence[Sequence[str]]) -> Ticket:
        """See :class:`search.engine.SearchEngine`."""
        spec = self._spec(index)
        home = self._home(index)
        table = tuple(tuple(group) for group in groups)
        try:
            with home.lock("write", _LOCK_SECONDS):
                pointer = home.pointer()
                if pointer is None:
                    raise SearchUnavailable("there is no index", rebuild=True)
                home.publish(replace(pointer, synonyms=table))
        except Busy as error:
            raise SearchUnavailable(str(error), retry_after=1.0) from error
        except (Damaged, OSError) as error:
            raise SearchUnavailable(str(error), rebuild=True) from error
        return Ticket(spec.name, "done")

    def rebuild(
        self,
        spec: IndexSpec,
        docs: Iterable[Document],
        *,
        catch_up: Callable[[], Iterable[Document | str]] | None = None,
    ) -> RebuildReport:
        """See :class:`search.engine.SearchEngine`. Repairs an index in any state."""
        started = time.perf_counter()
        self._specs[spec.name] = spec
        home = self._home(spec.name)
        rejected: dict[str, str] = {}
        try:
            with home.lock("rebuild", _LOCK_SECONDS):
                generation = home.new_generation()
                fresh = Pointer(generation, writing.stamp(spec))
                index = writing.create(spec, home.generation(fresh))
                writing.fill(spec, index, docs, rejected)
                if catch_up:
                    writing.replay(spec, index, catch_up(), rejected)
                with home.lock("write", _LOCK_SECONDS):
                    if catch_up:  # nobody writes now: what is replayed here is the last
                        writing.replay(spec, index, catch_up(), rejected)
                    home.publish(replace(fresh, synonyms=_synonyms(home, spec)))
                    home.sweep(generation)
        except Busy as error:
            raise SearchUnavailable(str(error), retry_after=5.0) from error
        except (OSError, ValueError) as error:
            raise WriteFailed(f"the index could not be rebuilt: {error}") from error
        self._forget(spec.name)
        documents = self._reader(spec).documents
        return RebuildReport(spec.name, documents, time.perf_counter() - started, rejected)

    # Care

    def stats(self, index: str) -> IndexStats:
        """See :class:`search.engine.SearchEngine`."""
        with self._answering(index) as answerer:
            opened = self._open[index]
            size = self._home(index).size(opened.pointer)
            return IndexStats(index, answerer.documents, size, opened.pointer.generation)

    def health(self) -> Health:
        """See :class:`search.engine.SearchEngine`."""
        found = []
        for spec in list(self._specs.values()):
            state, reason, documents = self._state(spec)
            found.append(IndexHealth(spec.name, state, documents, reason))
        return Health(self.name, tuple(found))

    def close(self) -> None:
        """See :class:`search.engine.SearchEngine`."""
        with self._lock:
            self._open.clear()


class _NotReady(Exception):  # noqa: N818 - says what is the case
    """There is no reader, for the reason in ``state``."""

    def __init__(self, state: IndexState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


def _forked(engine: weakref.ref[EmbeddedEngine]) -> None:
    """In a new child: an index opened before a fork does not reload, and a lock that another
    thread of the parent held would never be let go of."""
    found = engine()
    if found is not None:
        found._open = {}
        found._lock = threading.RLock()


def _synonyms(home: Home, spec: IndexSpec) -> tuple[tuple[str, ...], ...]:
    """The table as it is, or the spec's own where there is none that can be read."""
    try:
        pointer = home.pointer()
    except Damaged:
        return spec.synonyms
    return pointer.synonyms if pointer else spec.synonyms
