"""Writing an index: its schema, its documents, its commits."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import tantivy  # noqa: TID251 - this folder is the one that speaks to tantivy

from search.embedded import shape
from search.engine import Document, IndexSpec, Kind, WriteFailed

_TANTIVY = version("tantivy")
_HEAP = 32_000_000  # bytes a writer may fill before it writes a segment
_FILL_HEAP = 256_000_000  # one large segment searches faster than several
_WRITER_SECONDS = 10.0
_FILL_BATCH = 5_000


def stamp(spec: IndexSpec) -> str:
    """What an index must have been built with to be used for this spec."""
    return f"{spec.stamp}-{shape.LAYOUT}-{_TANTIVY}"


def create(spec: IndexSpec, folder: Path) -> tantivy.Index:
    """Make an empty index in an empty folder.

    Its documents lie sorted by popularity, so that among equal scores the order in which
    the engine meets them is already the right one.
    """
    builder = tantivy.SchemaBuilder()

    def key(name: str, *, fast: bool = False, stored: bool = False) -> None:
        builder.add_text_field(
            name, stored=stored, fast=fast, tokenizer_name="raw", index_option="basic"
        )

    key(shape.ID, stored=True)
    builder.add_bytes_field(shape.SOURCE, stored=True)
    builder.add_bytes_field(shape.PRINT, stored=True)
    key(shape.SCOPE)
    for name in spec.searchable:
        builder.add_text_field(shape.words_field(name), tokenizer_name="whitespace")
    for name in spec.names:
        key(shape.full_field(name))
    for name in (shape.JOINED, *map(shape.typo_field, range(shape.TYPO_CLASSES))):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    key(shape.FULL_JOINED)
    key(shape.FULL_TYPO)
    builder.add_integer_field(shape.POPULARITY, fast=True)
    builder.add_integer_field(shape.LENGTH, fast=True)
    builder.add_float_field(shape.BOOST, fast=True)
    key(shape.POPULAR, fast=True)
    for field in spec.facets + spec.filters:
        name = shape.filter_field(field.name)
        if field.kind is Kind.INTEGER:
            builder.add_integer_field(name, indexed=True, fast=True)
        elif field.kind is Kind.NUMBER:
            builder.add_float_field(name, indexed=True, fast=True)
        else:
            key(name, fast=True)
    for sort in spec.sorts:
        key(shape.order_field(sort.name), fast=True)
    return tantivy.Index(builder.build(), str(folder), sort_by_field=shape.POPULAR)


def document(spec: IndexSpec, doc: Document) -> tantivy.Document:
    """A document as tantivy takes it. Raises :class:`WriteFailed` if it cannot be one."""
    try:
        return tantivy.Document.from_dict(shape.flatten(spec, doc))
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        identity = str(doc.get("id", "")) if isinstance(doc, Mapping) else ""
        raise WriteFailed(f"document {identity!r}: {error}", ids=[identity]) from error


def _writer(index: tantivy.Index, heap: int) -> tantivy.IndexWriter:
    """The one writer. A process that died may leave the lock for a moment: wait for it."""
    deadline = time.monotonic() + _WRITER_SECONDS
    while True:
        try:
            return index.writer(heap, 1)
        except ValueError as error:
            if "LockBusy" not in str(error) or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def write(
    index: tantivy.Index,
    gone: Sequence[str],
    docs: Iterable[tantivy.Document],
    heap: int = _HEAP,
) -> None:
    """Delete, then add, in one commit: all of it or nothing. Merges are waited for."""
    writer = _writer(index, heap)
    try:
        for identity in gone:
            writer.delete_documents_by_term(shape.ID, identity)
        for doc in docs:
            writer.add_document(doc)
        writer.commit()
    except BaseException:
        writer.rollback()
        raise
    finally:
        writer.wait_merging_threads()


def fill(
    spec: IndexSpec, index: tantivy.Index, docs: Iterable[Document], rejected: dict[str, str]
) -> None:
    """Fill a new index in one commit. What cannot be a document is noted and left out."""

    def usable() -> Iterator[tantivy.Document]:
        seen: set[str] = set()
        for doc in docs:
            try:
                found = document(spec, doc)
            except WriteFailed as error:
                rejected[error.ids[0]] = error.reason
                continue
            if doc["id"] in seen:
                rejected[doc["id"]] = "another document has this id"
                continue
            seen.add(doc["id"])
            yield found

    write(index, (), usable(), _FILL_HEAP)


def replay(
    spec: IndexSpec,
    index: tantivy.Index,
    changes: Iterable[Document | str],
    rejected: dict[str, str],
) -> None:
    """Apply what changed while a new index was filled: documents to write, ids to delete."""
    stream = iter(changes)
    while batch := list(islice(stream, _FILL_BATCH)):
        latest: dict[str, tantivy.Document | None] = {}
        for change in batch:
            if isinstance(change, str):
                latest[change] = None
                continue
            try:
                latest[str(change.get("id"))] = document(spec, change)
            except WriteFailed as error:
                rejected[error.ids[0]] = error.reason
        write(index, list(latest), [doc for doc in latest.values() if doc is not None])
