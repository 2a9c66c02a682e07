"""Keeping an index true to its source: changes, rebuilds, verifying and mending.

Pure of databases: whoever calls hands over documents, or a callable that loads them. Always
whole documents: half a document is how an index begins to lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from search.engine import (
    Document,
    IndexSpec,
    RebuildReport,
    SearchEngine,
    WriteFailed,
    fingerprint,
)

Load = Callable[[Sequence[str]], Iterable[Document]]
"""Gives the documents of these ids; an id that has none any more is left out."""

BATCH = 1_000
WAIT_SECONDS = 60.0
MAX_LISTED = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying changes did. ``rejected`` maps ids to the reason."""

    written: int = 0
    deleted: int = 0
    rejected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drift:
    """How an index differs from its source. Ids, each list at most 1,000 long, sorted.

    ``missing`` are in the source alone, ``extra`` in the index alone, ``changed`` in both
    with another content. ``total`` counts them all, listed or not.
    """

    documents: int
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    total: int = 0

    @property
    def clean(self) -> bool:
        """Whether index and source agree."""
        return self.total == 0


def batched(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def write(
    engine: SearchEngine, index: str, docs: Sequence[Document], timeout: float = WAIT_SECONDS
) -> dict[str, str]:
    """Write documents and wait. A batch that is refused is halved until the bad document is
    alone, so that one cannot hold up a thousand. Returns the refused ids with the reason.

    Raises :class:`search.engine.SearchUnavailable`.
    """
    if not docs:
        return {}
    try:
        engine.wait(engine.upsert(index, docs), timeout)
    except WriteFailed as error:
        if len(docs) == 1:
            return {str(docs[0].get("id", "")): error.reason}
        middle = len(docs) // 2
        left = write(engine, index, docs[:middle], timeout)
        return left | write(engine, index, docs[middle:], timeout)
    return {}


def apply(
    engine: SearchEngine,
    index: str,
    ids: Iterable[str],
    load: Load,
    *,
    timeout: float = WAIT_SECONDS,
) -> Applied:
    """Bring these documents up to date: those that ``load`` gives are written, the others
    deleted. Doing it twice changes nothing.

    Raises :class:`search.engine.SearchUnavailable`; what was done by then is done.
    """
    written = deleted = 0
    rejected: dict[str, str] = {}
    for batch in batched(dict.fromkeys(ids)):
        docs = list(load(batch))
        refused = write(engine, index, docs, timeout)
        written += len(docs) - len(refused)
        rejected |= refused
        # What is refused must not stay as it was: an old text would go on being found.
        gone = sorted((set(batch) - {str(doc.get("id")) for doc in docs}) | set(refused) - {""})
        if gone:
            engine.wait(engine.delete(index, gone), timeout)
            deleted += len(gone)
    return Applied(written, deleted, rejected)


def rebuild(
    engine: SearchEngine,
    spec: IndexSpec,
    docs: Iterable[Document],
    *,
    changed_ids: Callable[[], Iterable[str]],
    load: Load,
) -> RebuildReport:
    """Build the index anew and swap, then replay what changed meanwhile.

    ``changed_ids`` gives the ids of all documents that changed or went since the rebuild
    began; it is asked more than once. Raises what :meth:`SearchEngine.rebuild` raises.
    """

    def catch_up() -> Iterator[Document | str]:
        for batch in batched(dict.fromkeys(changed_ids())):
            docs = list(load(batch))
            yield from docs
            yield from sorted(set(batch) - {str(doc.get("id")) for doc in docs})

    return engine.rebuild(spec, docs, catch_up=catch_up)


def verify(engine: SearchEngine, index: str, source: Iterable[Document]) -> Drift:
    """Compare the index with all documents of its source, by id and content.

    A document that changed while this ran is told as changed: verify again, or mend, which
    loads it anew. Raises :class:`search.engine.SearchUnavailable`.
    """
    found = dict(engine.fingerprints(index))
    missing: list[str] = []
    changed: list[str] = []
    documents = 0
    for doc in source:
        documents += 1
        identity = str(doc["id"])
        mark = found.pop(identity, None)
        if mark is None:
            missing.append(identity)
        elif mark != fingerprint(doc):
            changed.append(identity)
    total = len(missing) + len(changed) + len(found)
    return Drift(documents, _listed(missing), _listed(found), _listed(changed), total)


def _listed(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ids)[:MAX_LISTED])


def mend(engine: SearchEngine, index: str, drift: Drift, load: Load) -> Applied:
    """Bring what drifted up to date: load it anew, write or delete it."""
    return apply(engine, index, (*drift.missing, *drift.changed, *drift.extra), load)
