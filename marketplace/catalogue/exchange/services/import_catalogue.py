"""Import: a file becomes the catalogue, batch by batch.

A batch of 200 lines is one transaction: an import that is killed leaves whole batches, and
running it again does the rest. Reading and checking come first in each batch, writing last.
"""

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import IntegrityError, OperationalError

from marketplace.catalogue.exchange import queries
from marketplace.catalogue.exchange.connectors import ConnectorFile
from marketplace.catalogue.exchange.lines import Line, Problem
from marketplace.catalogue.exchange.pictures import PictureFolder
from marketplace.catalogue.exchange.records import (
    CategoryRecord,
    ListingRecord,
    PublisherRecord,
    RecordInvalidError,
    parse_record,
)
from marketplace.catalogue.exchange.services.apply_heads import HeadBatch
from marketplace.catalogue.exchange.services.apply_listings import (
    ListingBatch,
    Numbered,
    apply_successors,
)
from marketplace.catalogue.exchange.services.report import ImportReport, ImportRun
from marketplace.catalogue.exchange.sources import (
    CatalogueSource,
    Format,
    detect_format,
    open_source,
)
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work

log = logging.getLogger(__name__)

BATCH_LINES = 200
TRIES = 5
WAIT_SECONDS = 0.5

Progress = Callable[[ImportReport], None]


T = TypeVar("T")
R = TypeVar("R", CategoryRecord, PublisherRecord)


def import_catalogue(
    path: Path,
    *,
    form: Format | None = None,
    dry_run: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Read `path` into the catalogue and say what became of each line.

    `form` is detected from the first line when None. `dry_run` checks everything and writes
    nothing. What was edited here since its import is refused unless `overwrite`. `progress`
    is called after each batch. Commits batch by batch.

    Raises OSError when the file cannot be read, OperationalError when the database stays
    unavailable; what was committed until then stays, and running it again goes on.
    """
    started = time.monotonic()
    form = form or detect_format(path)
    report = ImportReport(dry_run=dry_run, format=form)
    run = ImportRun(report, PictureFolder(path.parent), path.name, dry_run, overwrite)
    source = open_source(path, form)
    if isinstance(source, ConnectorFile):
        source.settle(
            queries.slugs_by_source(source.sources()),
            queries.sources_by_slug(source.wanted_slugs()),
            queries.slugs_of_others(source.publisher_slugs()),
        )
        db.session.rollback()
    categories, publishers = _import_heads(source, run)
    successors: list[tuple[int, str, str]] = []
    lines_of: dict[str, int] = {}
    for lines in _batches(source.listings(), report):
        records = _parsed(lines, report, lines_of)
        batch = _retried(partial(_import_batch, run, records, categories, publishers))
        batch.add_to(report)
        successors += batch.successors
        if progress is not None:
            progress(report)
    if successors:
        _retried(partial(_import_successors, run, successors))
    report.seconds = time.monotonic() - started
    return report


def _import_heads(source: CatalogueSource, run: ImportRun) -> tuple[set[str], set[str]]:
    """Import categories and publishers; the slugs of those that listings may name now."""
    report = run.report
    categories: dict[str, tuple[int, CategoryRecord]] = {}
    publishers: dict[str, tuple[int, PublisherRecord]] = {}
    for item in source.head():
        if isinstance(item, Problem):
            report.refuse("line", item.line, {item.field: item.reason})
            continue
        try:
            record = parse_record(item.data)
        except RecordInvalidError as error:
            kind = item.data.get("record")
            known = kind if isinstance(kind, str) and kind in {"category", "publisher"} else "line"
            report.refuse(known, item.number, error.fields)
            continue
        if isinstance(record, CategoryRecord):
            _take(categories, "category", item.number, record, report)
        elif isinstance(record, PublisherRecord):
            _take(publishers, "publisher", item.number, record, report)
    heads = HeadBatch(run, source.changes_heads)
    _retried(partial(_write, run, partial(heads.apply_categories, list(categories.values()))))
    heads.add_to(report)
    everyone = list(publishers.values())
    for start in range(0, len(everyone), BATCH_LINES):
        part = everyone[start : start + BATCH_LINES]
        _retried(partial(_write, run, partial(heads.apply_publishers, part)))
        heads.add_to(report)
    return heads.categories, heads.publishers


def _take(
    found: dict[str, tuple[int, R]], kind: str, line: int, record: R, report: ImportReport
) -> None:
    slug = record.slug
    if slug in found:
        report.refuse(kind, line, {"slug": f"{slug} stands on line {found[slug][0]} already"})
    else:
        found[slug] = (line, record)


def _batches(items: Iterator[Line | Problem], report: ImportReport) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for item in items:
        if isinstance(item, Problem):
            if item.refused:
                report.refuse("listing", item.line, {item.field: item.reason})
            else:
                report.problems.append(item)
            continue
        batch.append(item)
        if len(batch) == BATCH_LINES:
            yield batch
            batch = []
    if batch:
        yield batch


def _parsed(lines: list[Line], report: ImportReport, lines_of: dict[str, int]) -> list[Numbered]:
    records: list[Numbered] = []
    for line in lines:
        try:
            record = parse_record(line.data)
        except RecordInvalidError as error:
            report.refuse("listing", line.number, error.fields)
            continue
        if not isinstance(record, ListingRecord):
            continue
        slug = record.envelope.slug
        if slug in lines_of:
            report.refuse(
                "listing", line.number, {"slug": f"{slug} stands on line {lines_of[slug]} already"}
            )
            continue
        lines_of[slug] = line.number
        records.append(Numbered(line.number, record))
    return records


def _import_batch(
    run: ImportRun, records: list[Numbered], categories: set[str], publishers: set[str]
) -> ListingBatch:
    batch = ListingBatch(run, records, categories, publishers)
    batch.plan()
    _write(run, batch.apply)
    return batch


def _import_successors(run: ImportRun, successors: list[tuple[int, str, str]]) -> None:
    report = ImportReport()
    _write(run, partial(apply_successors, run, successors, report))
    run.report.problems.extend(report.problems)
    run.report.counts.update(report.counts)


def _write(run: ImportRun, work: Callable[[], object]) -> None:
    """Run `work` in a transaction of its own; a dry run takes it back."""
    with unit_of_work() as session:
        work()
        if run.dry_run:
            session.rollback()


def _retried(work: Callable[[], T]) -> T:
    """Do a batch again when the database was busy, or when somebody else, such as a second
    import, added one of its records after it was planned: it is whole or not there at all."""
    for attempt in range(1, TRIES):
        try:
            return work()
        except (IntegrityError, OperationalError) as error:
            log.warning("another writes at the same time; trying the batch again", exc_info=error)
            db.session.rollback()
            time.sleep(WAIT_SECONDS * attempt)
    return work()
