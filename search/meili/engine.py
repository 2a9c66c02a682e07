"""The life of an index on a Meilisearch server: settings, writing, swapping, health."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from marketplace.core import clock
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
from search.indexing import batched
from search.meili import layout
from search.meili.answering import Answering
from search.meili.transport import Refused, Transport

_STATE_SECONDS = 5.0
_SETTINGS_SECONDS = 60.0
_BATCH_SECONDS = 300.0
_BATCH = 5_000
_SCAN = 1_000
_LEFT_OVER_SECONDS = 6 * 3600
_KEEP_TASKS = timedelta(days=2)


class MeiliEngine:
    """A :class:`search.engine.SearchEngine` on a server."""

    name = "meilisearch"
    capabilities = frozenset({Capability.CJK, Capability.SHARED})

    def __init__(self, url: str, api_key: str | None = None) -> None:
        self._transport = Transport(url, api_key)
        self._specs: dict[str, IndexSpec] = {}
        self._states: dict[str, tuple[float, IndexState, list[list[str]]]] = {}
        self._lock = threading.Lock()

    # Indexes

    def ensure_index(self, spec: IndexSpec, *, create: bool = True) -> IndexState:
        """See :class:`search.engine.SearchEngine`."""
        self._specs[spec.name] = spec
        self._states.pop(spec.name, None)
        try:
            state = self._state(spec)
            if state is IndexState.MISSING and create:
                self._create(spec, spec.name, spec.synonyms)
                self._states.pop(spec.name, None)
                return IndexState.CREATED
        except SearchUnavailable:
            return IndexState.UNREACHABLE
        except (Refused, WriteFailed) as error:
            raise SearchUnavailable(f"the index cannot be created: {error}") from error
        return state

    def _spec(self, index: str) -> IndexSpec:
        try:
            return self._specs[index]
        except KeyError:
            raise UnknownIndex(f"no index {index!r} was made known") from None

    def _state(self, spec: IndexSpec) -> IndexState:
        """How the index is; asked of the server every few seconds at most."""
        known = self._states.get(spec.name)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        groups: list[list[str]] = []
        try:
            found = self._transport.get(f"indexes/{spec.name}/settings")
            current = layout.stamp(spec) in (found.get("displayedAttributes") or ())
            state = IndexState.READY if current else IndexState.STALE
            groups = layout.groups_of(found.get("synonyms") or {})
        except Refused as error:
            if error.code != "index_not_found":
                raise
            state = IndexState.MISSING
        self._states[spec.name] = (time.monotonic() + _STATE_SECONDS, state, groups)
        return state

    def _create(self, spec: IndexSpec, uid: str, groups: Sequence[Sequence[str]]) -> None:
        made = self._transport.send("post", "indexes", {"uid": uid, "primaryKey": layout.KEY})
        self._done(made, _SETTINGS_SECONDS)
        body = layout.settings(spec, groups)
        changed = self._transport.send("patch", f"indexes/{uid}/settings", body)
        self._done(changed, _SETTINGS_SECONDS)

    def _done(self, answer: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Wait for the task that an answer tells of; its details."""
        return self._transport.wait(int(answer["taskUid"]), timeout)

    def drop_index(self, index: str) -> None:
        """Delete an index; one that is not there is no error."""
        self._states.pop(index, None)
        try:
            self._done(self._transport.send("delete", f"indexes/{index}"), _SETTINGS_SECONDS)
        except WriteFailed as error:
            if "not found" not in error.reason:
                raise

    # Reading

    @contextmanager
    def _answering(self, index: str) -> Iterator[Answering]:
        spec = self._spec(index)
        try:
            state = self._state(spec)
            if state is not IndexState.READY:
                raise SearchUnavailable(_WHY[state], rebuild=True)
            yield Answering(self._transport, spec, self._states[index][2])
        except Refused as error:
            self._states.pop(index, None)
            gone = error.code == "index_not_found"
            raise SearchUnavailable(f"the server refused: {error}", rebuild=gone) from error
        except (KeyError, TypeError) as error:
            raise SearchUnavailable(f"the server answered oddly: {error!r}") from error

    def search(self, query: SearchQuery) -> SearchPage:
        """See :class:`search.engine.SearchEngine`."""
        started = time.perf_counter()
        with self._answering(query.index) as answering:
            page = answering.search(query)
        return replace(page, took_ms=(time.perf_counter() - started) * 1000)

    def facet_values(
        self, query: SearchQuery, facet: str, prefix: str = "", limit: int = 20
    ) -> tuple[FacetValue, ...]:
        """See :class:`search.engine.SearchEngine`."""
        with self._answering(query.index) as answering:
            return answering.facet_values(query, facet, prefix, limit)

    def fingerprints(self, index: str) -> Iterator[tuple[str, str]]:
        """See :class:`search.engine.SearchEngine`."""
        with self._answering(index):
            offset, total = 0, 1
            while offset < total:
                fields = f"{layout.ID},{layout.PRINT}"
                path = f"indexes/{index}/documents?limit={_SCAN}&offset={offset}&fields={fields}"
                found = self._transport.get(path)
                total = int(found["total"])
                offset += _SCAN
                for doc in found["results"]:
                    yield str(doc[layout.ID]), str(doc[layout.PRINT])

    # Writing

    def upsert(self, index: str, docs: Iterable[Document]) -> Ticket:
        """See :class:`search.engine.SearchEngine`. One task: all of it or nothing."""
        spec = self._spec(index)
        flat: dict[str, dict[str, Any]] = {}
        for doc in docs:
            flat[str(doc.get("id"))] = _flattened(spec, doc)
        self._check_writable(spec)
        return self._write(index, index, list(flat.values()), tuple(flat))

    def _write(
        self, index: str, uid: str, flat: Sequence[dict[str, Any]], ids: tuple[str, ...]
    ) -> Ticket:
        if not flat:
            return Ticket(index, "", ids)
        try:
            # POST replaces whole documents; the server's PUT would leave old fields behind.
            path = f"indexes/{uid}/documents?primaryKey={layout.KEY}"
            answer = self._transport.send("post", path, list(flat))
        except Refused as error:
            raise WriteFailed(str(error), ids=ids) from error
        return Ticket(index, str(answer["taskUid"]), ids)

    def delete(self, index: str, ids: Iterable[str]) -> Ticket:
        """See :class:`search.engine.SearchEngine`."""
        self._check_writable(self._spec(index))
        return self._delete(index, index, tuple(dict.fromkeys(ids)))

    def _delete(self, index: str, uid: str, ids: tuple[str, ...]) -> Ticket:
        if not ids:
            return Ticket(index, "", ids)
        try:
            path = f"indexes/{uid}/documents/delete-batch"
            answer = self._transport.send("post", path, list(map(layout.key_of, ids)))
        except Refused as error:
            raise WriteFailed(str(error), ids=ids) from error
        return Ticket(index, str(answer["taskUid"]), ids)

    def _check_writable(self, spec: IndexSpec) -> None:
        """Writing to an index that is not there would make one without settings."""
        try:
            state = self._state(spec)
        except Refused as error:
            raise SearchUnavailable(f"the server refused: {error}") from error
        if state is not IndexState.READY:
            raise SearchUnavailable(_WHY[state], rebuild=True)

    def wait(self, ticket: Ticket, timeout: float = 10.0) -> None:
        """See :class:`search.engine.SearchEngine`."""
        if not ticket.reference:
            return
        try:
            self._transport.wait(int(ticket.reference), timeout)
        except WriteFailed as error:
            raise WriteFailed(error.reason, ids=ticket.ids) from error
        except Refused as error:
            raise SearchUnavailable(f"the task is not known: {error}") from error

    def set_synonyms(self, index: str, groups: Sequence[Sequence[str]]) -> Ticket:
        """See :class:`search.engine.SearchEngine`."""
        self._spec(index)
        self._states.pop(index, None)
        try:
            path = f"indexes/{index}/settings/synonyms"
            answer = self._transport.send("put", path, layout.synonyms(groups))
        except Refused as error:
            raise WriteFailed(str(error)) from error
        return Ticket(index, str(answer["taskUid"]))

    # Rebuilding

    def rebuild(
        self,
        spec: IndexSpec,
        docs: Iterable[Document],
        *,
        catch_up: Callable[[], Iterable[Document | str]] | None = None,
    ) -> RebuildReport:
        """See :class:`search.engine.SearchEngine`."""
        started = time.perf_counter()
        self._specs[spec.name] = spec
        uid = f"{spec.name}__{int(time.time()):x}{secrets.token_hex(2)}"
        rejected: dict[str, str] = {}
        try:
            self._sweep(spec.name)
            self._states.pop(spec.name, None)
            missing = self._state(spec) is IndexState.MISSING
            groups = spec.synonyms if missing else self._states[spec.name][2]
            self._create(spec, uid, groups)
            sent = self._fill(spec, uid, docs, rejected)
            self._compare(uid, sent)
            self._replay(spec, uid, catch_up, rejected)
            if missing:  # a swap needs two
                self._create(spec, spec.name, groups)
            swap = self._transport.send("post", "swap-indexes", [{"indexes": [spec.name, uid]}])
            self._done(swap, _SETTINGS_SECONDS)
            self._states.pop(spec.name, None)
            self._replay(spec, spec.name, catch_up, rejected)
            self.drop_index(uid)
            self.prune()
        except Refused as error:
            raise WriteFailed(f"the index could not be rebuilt: {error}") from error
        documents = self.stats(spec.name).documents
        return RebuildReport(spec.name, documents, time.perf_counter() - started, rejected)

    def _fill(
        self, spec: IndexSpec, uid: str, docs: Iterable[Document], rejected: dict[str, str]
    ) -> int:
        """Send the documents; how many were taken. What cannot be one is left out."""
        seen: set[str] = set()
        for batch in batched(docs, _BATCH):
            flat: dict[str, dict[str, Any]] = {}
            for doc in batch:
                identity = str(doc.get("id", ""))
                if identity in seen:
                    rejected[identity] = "another document has this id"
                    continue
                try:
                    flat[identity] = _flattened(spec, doc)
                except WriteFailed as error:
                    rejected[identity] = error.reason
                    continue
                seen.add(identity)
            self._halved(spec.name, uid, flat, rejected)
        return len(seen - rejected.keys())

    def _halved(
        self, index: str, uid: str, flat: dict[str, dict[str, Any]], rejected: dict[str, str]
    ) -> None:
        """Write; a batch that is refused is halved until the bad document is alone."""
        try:
            self.wait(self._write(index, uid, list(flat.values()), tuple(flat)), _BATCH_SECONDS)
        except WriteFailed as error:
            if len(flat) == 1:
                rejected[next(iter(flat))] = error.reason
                return
            items = list(flat.items())
            middle = len(items) // 2
            self._halved(index, uid, dict(items[:middle]), rejected)
            self._halved(index, uid, dict(items[middle:]), rejected)

    def _replay(
        self,
        spec: IndexSpec,
        uid: str,
        catch_up: Callable[[], Iterable[Document | str]] | None,
        rejected: dict[str, str],
    ) -> None:
        for batch in batched(catch_up() if catch_up else (), _BATCH):
            latest: dict[str, Document | str] = {
                change if isinstance(change, str) else str(change.get("id")): change
                for change in batch
            }
            gone = tuple(name for name, change in latest.items() if isinstance(change, str))
            self.wait(self._delete(spec.name, uid, gone), _BATCH_SECONDS)
            flat: dict[str, dict[str, Any]] = {}
            for identity, change in latest.items():
                if isinstance(change, str):
                    continue
                try:
                    flat[identity] = _flattened(spec, change)
                except WriteFailed as error:
                    rejected[identity] = error.reason
            self._halved(spec.name, uid, flat, rejected)

    def _compare(self, uid: str, sent: int) -> None:
        found = int(self._transport.get(f"indexes/{uid}/stats")["numberOfDocuments"])
        if found != sent:
            raise WriteFailed(f"the new index has {found} documents instead of {sent}")

    def _sweep(self, index: str) -> None:
        """Delete what rebuilds that died have left behind."""
        for item in self._transport.get("indexes?limit=1000")["results"]:
            name, _, rest = str(item["uid"]).partition("__")
            if name == index and rest and _age(rest) > _LEFT_OVER_SECONDS:
                self.drop_index(str(item["uid"]))

    def prune(self) -> None:
        """Delete the finished tasks of the days before yesterday: the server keeps them
        until it is full."""
        before = (clock.now() - _KEEP_TASKS).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._transport.send(
            "delete",
            f"tasks?statuses=succeeded,failed,canceled&beforeFinishedAt={quote(before)}",
        )

    # Care

    def stats(self, index: str) -> IndexStats:
        """See :class:`search.engine.SearchEngine`."""
        self._spec(index)
        try:
            found = self._transport.get(f"indexes/{index}/stats")
        except Refused as error:
            raise SearchUnavailable(f"the server refused: {error}", rebuild=True) from error
        size = found.get("rawDocumentDbSize")
        return IndexStats(index, int(found["numberOfDocuments"]), size)

    def health(self) -> Health:
        """See :class:`search.engine.SearchEngine`."""
        found = []
        for spec in list(self._specs.values()):
            self._states.pop(spec.name, None)
            try:
                state = self._state(spec)
                ready = state is IndexState.READY
                documents = self.stats(spec.name).documents if ready else 0
                found.append(IndexHealth(spec.name, state, documents, _WHY.get(state, "")))
            except (SearchUnavailable, Refused) as error:
                found.append(IndexHealth(spec.name, IndexState.UNREACHABLE, 0, str(error)))
        return Health(self.name, tuple(found))

    def close(self) -> None:
        """See :class:`search.engine.SearchEngine`."""
        self._transport.close()


_WHY = {
    IndexState.MISSING: "there is no index",
    IndexState.STALE: "the index was built for another schema",
}


def _flattened(spec: IndexSpec, doc: Document) -> dict[str, Any]:
    try:
        return layout.flatten(spec, doc)
    except (ValueError, TypeError, OverflowError) as error:
        identity = str(doc.get("id", ""))
        raise WriteFailed(f"document {identity!r}: {error}", ids=[identity]) from error


def _age(rest: str) -> float:
    """Seconds since the rebuild that named an index began; 0 when that cannot be told."""
    try:
        return time.time() - int(rest[:-4], 16)
    except ValueError:
        return 0.0
