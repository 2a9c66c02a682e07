"""Keeping the two indexes true to the database.

The index ranks and counts; whether something is shown the database decides. What is not
findable has no document.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import current_app

from marketplace.accreditation.authorizations.reading import levels_of
from marketplace.catalogue.indexing import queries
from marketplace.catalogue.indexing.document import listing_document, publisher_document
from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS, PUBLISHERS, SPECS
from marketplace.core import clock
from marketplace.core.jobs import enqueue
from marketplace.core.metrics import SEARCH_DRIFT
from search import evaluation, indexing
from search.engine import (
    Document,
    IndexSpec,
    IndexState,
    RebuildReport,
    SearchEngine,
    WriteFailed,
    fingerprint,
)

log = logging.getLogger(__name__)

REBUILD = "search.rebuild"
ROUNDS = 5
# A job that ended this long before a rebuild began counts as one that ran beside it.
OVERLAP = timedelta(seconds=30)

Progress = Callable[[str, int], None]


def engine() -> SearchEngine:
    """The search engine of the application."""
    found: SearchEngine = current_app.extensions["portico_search"]
    return found


# Loading


def load_listings(ids: Sequence[str]) -> list[Document]:
    """The documents of those of these listings that are findable."""
    rows = queries.findable_by_id([int(each) for each in ids])
    levels = levels_of([row.id for row in rows])
    return [listing_document(row, levels.get(row.id, ())) for row in rows]


def load_publishers(ids: Sequence[str]) -> list[Document]:
    """The documents of those of these publishers that have findable listings."""
    wanted = [int(each) for each in ids]
    counts = queries.listing_counts(wanted)
    return [
        publisher_document(row, counts[row.id])
        for row in queries.publishers_by_id(wanted)
        if counts.get(row.id)
    ]


def all_documents(spec: IndexSpec) -> Iterator[Document]:
    """Every document that the index should hold."""
    if spec is LISTINGS:
        for rows in indexing.batched(queries.all_findable(), queries.BATCH):
            levels = levels_of([row.id for row in rows])
            for row in rows:
                yield listing_document(row, levels.get(row.id, ()))
        return
    for batch in indexing.batched(queries.all_publishers(), queries.BATCH):
        counts = queries.listing_counts([publisher.id for publisher in batch])
        for publisher in batch:
            if counts.get(publisher.id):
                yield publisher_document(publisher, counts[publisher.id])


_LOADERS: dict[str, Callable[[Sequence[str]], list[Document]]] = {
    LISTINGS.name: load_listings,
    PUBLISHERS.name: load_publishers,
}


# Changes


def index_listings(listing_ids: Iterable[int]) -> None:
    """Bring these listings, and what the index says of their publishers, up to date.

    Raises SearchUnavailable, and WriteFailed when the engine refuses a document.
    """
    ids = list(listing_ids)
    _apply(LISTINGS, ids)
    _apply(PUBLISHERS, queries.publisher_ids_of(ids))


def index_publisher(organization_id: int) -> None:
    """Bring a publisher and all of its listings up to date. Raises as index_listings."""
    _apply(PUBLISHERS, [organization_id])
    _apply(LISTINGS, queries.listing_ids_of(organization_id))


def apply_synonyms() -> None:
    """Hand the operator's synonyms to the engine. Raises SearchUnavailable."""
    groups = queries.synonym_groups()
    ticket = engine().set_synonyms(LISTINGS.name, groups)
    engine().wait(ticket, indexing.WAIT_SECONDS)


def _apply(spec: IndexSpec, ids: Sequence[int]) -> None:
    """Write the documents, and write them again while the database has moved on.

    Two jobs may carry the same listing at once. The slower one could overwrite the newer
    text with the one it read before: whoever wrote looks again after its write.
    """
    if not ids:
        return
    wanted = [str(each) for each in ids]
    load = _LOADERS[spec.name]
    documents = load(wanted)
    for _round in range(ROUNDS):
        marks = _marks(documents)
        current = documents
        applied = indexing.apply(engine(), spec.name, wanted, lambda batch: _of(current, batch))  # noqa: B023 - called at once
        if applied.rejected:
            identity, reason = next(iter(applied.rejected.items()))
            raise WriteFailed(f"{spec.name} {identity}: {reason}", ids=list(applied.rejected))
        documents = load(wanted)
        if _marks(documents) == marks:
            return
    log.warning("a document changes faster than it is indexed", extra={"index": spec.name})


def _of(documents: Sequence[Document], ids: Sequence[str]) -> list[Document]:
    wanted = set(ids)
    return [document for document in documents if document["id"] in wanted]


def _marks(documents: Iterable[Document]) -> dict[str, str]:
    return {str(document["id"]): fingerprint(document) for document in documents}


# Rebuilding, verifying


def rebuild(spec: IndexSpec, progress: Progress | None = None) -> RebuildReport:
    """Build the index anew beside the old one, swap, replay what changed meanwhile.

    `progress` is called with the index's name and the documents read so far. Raises
    SearchUnavailable.
    """
    since = clock.now() - OVERLAP

    report = indexing.rebuild(
        engine(),
        spec,
        _told(spec, all_documents(spec), progress),
        changed_ids=partial(_waiting_ids, spec),
        load=_LOADERS[spec.name],
    )
    for identity, reason in report.rejected.items():
        log.error(
            "a document was not taken", extra={"index": spec.name, "id": identity, "why": reason}
        )
    if queries.was_indexed_since(since):
        # A job that ran beside the rebuild may have written to the old index alone.
        drift = indexing.verify(engine(), spec.name, all_documents(spec))
        indexing.mend(engine(), spec.name, drift, _LOADERS[spec.name])
    if spec is LISTINGS:
        apply_synonyms()
    return report


def _waiting_ids(spec: IndexSpec) -> set[str]:
    """The ids of the documents whose change waits for its job or is being written."""
    listings, publishers = queries.waiting_changes()
    if spec is PUBLISHERS:
        return {str(each) for each in publishers | set(_publishers_of(listings))}
    for organization_id in publishers:
        listings.update(queries.listing_ids_of(organization_id))
    return {str(each) for each in listings}


def _without(drift: indexing.Drift, ids: set[str]) -> indexing.Drift:
    lists = [
        tuple(each for each in part if each not in ids)
        for part in (drift.missing, drift.extra, drift.changed)
    ]
    left_out = len(drift.missing) + len(drift.extra) + len(drift.changed) - sum(map(len, lists))
    missing, extra, changed = lists
    return indexing.Drift(drift.documents, missing, extra, changed, drift.total - left_out)


def _publishers_of(listing_ids: set[int]) -> list[int]:
    found: set[int] = set()
    for batch in indexing.batched(sorted(listing_ids), queries.BATCH):
        found.update(queries.publisher_ids_of(batch))
    return sorted(found)


def verify(
    spec: IndexSpec, *, mend: bool = True, progress: Progress | None = None
) -> indexing.Drift:
    """Compare the index with the database, count the drift and, with `mend`, undo it.

    What waits for its job is late, not lost: it is no drift. Raises SearchUnavailable.
    """
    waiting = _waiting_ids(spec)
    drift = indexing.verify(engine(), spec.name, _told(spec, all_documents(spec), progress))
    drift = _without(drift, waiting | _waiting_ids(spec))
    if drift.clean:
        return drift
    SEARCH_DRIFT.inc(drift.total)
    log.warning(
        "search has drifted",
        extra={
            "index": spec.name,
            "missing": len(drift.missing),
            "extra_documents": len(drift.extra),
            "changed": len(drift.changed),
        },
    )
    if mend:
        indexing.mend(engine(), spec.name, drift, _LOADERS[spec.name])
    return drift


def request_rebuild() -> None:
    """Have all indexes built anew by a worker, once however often this is asked."""
    enqueue(REBUILD, {}, dedupe_key=REBUILD)


def rebuild_what_is_broken() -> list[str]:
    """Build anew what is missing, damaged or of another schema; the names of those indexes.

    Raises SearchUnavailable.
    """
    broken = {IndexState.MISSING, IndexState.CORRUPT, IndexState.STALE}
    states = {item.index: item.state for item in engine().health().indexes}
    rebuilt = []
    for spec in SPECS:
        if states.get(spec.name, IndexState.MISSING) in broken:
            rebuild(spec)
            rebuilt.append(spec.name)
    return rebuilt


def _told(
    spec: IndexSpec, documents: Iterator[Document], progress: Progress | None
) -> Iterator[Document]:
    count = 0
    for count, document in enumerate(documents, start=1):
        if progress is not None and count % queries.BATCH == 0:
            progress(spec.name, count)
        yield document
    if progress is not None:
        progress(spec.name, count)


def status() -> list[dict[str, Any]]:
    """The state of each index: `index`, `state`, `documents`, `expected`, `bytes`, `reason`."""
    health = engine().health()
    rows: list[dict[str, Any]] = []
    for item in health.indexes:
        stats = engine().stats(item.index) if item.ok else None
        rows.append(
            {
                "index": item.index,
                "state": item.state.value,
                "documents": stats.documents if stats else 0,
                "bytes": stats.bytes if stats else None,
                "reason": item.reason or health.reason,
            }
        )
    return rows


@dataclass(frozen=True)
class Evaluation:
    """Figures by kind of case, and the queries that mean nothing of this catalogue."""

    figures: Mapping[str, evaluation.Figures]
    left_out: tuple[str, ...]


def evaluate(path: Path) -> Evaluation:
    """Ask the judged cases of a file. Raises ValueError, SearchUnavailable."""
    names = {str(each.id): each.name for each in queries.findable_names()}
    judge = evaluation.Judge(names)
    cases: list[evaluation.Case] = []
    left_out: list[str] = []
    for case in evaluation.read_cases(path):
        try:
            judge.right(case)
        except ValueError:
            left_out.append(case.query)
        else:
            cases.append(case)
    answers = list(evaluation.run(engine(), LISTINGS.name, AUDIENCES, cases, judge))
    return Evaluation(evaluation.by_kind(answers), tuple(left_out))
