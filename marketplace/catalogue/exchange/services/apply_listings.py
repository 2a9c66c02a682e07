"""Writing a batch of listings: first what to do is found out, then it is done."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from marketplace.catalogue.changes import listings_changed
from marketplace.catalogue.content import ImageRef, ListingContent, Screenshot
from marketplace.catalogue.exchange import queries
from marketplace.catalogue.exchange.lines import Problem
from marketplace.catalogue.exchange.records import ListingEnvelope, ListingRecord
from marketplace.catalogue.exchange.services.apply_heads import EDITED_HERE
from marketplace.catalogue.exchange.services.report import ImportReport, ImportRun, Outcome
from marketplace.catalogue.exchange.services.store_images import store_images
from marketplace.catalogue.models import (
    Listing,
    ListingStatus,
    ListingVersion,
    Revision,
    RevisionState,
)
from marketplace.catalogue.publication import apply_content
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.images import LOGO, SCREENSHOT, CleanImage, ImageRefusedError

IMPORTED_REASON = "imported"
"""In a revision's review_reasons: an import made it, nobody reviewed it."""


@dataclass(frozen=True)
class Numbered:
    """A record and the line it stands on."""

    line: int
    record: ListingRecord


@dataclass
class _Task:
    """What is to be done for one line."""

    line: int
    record: ListingRecord
    content: ListingContent
    listing: Listing | None
    content_differs: bool
    digest: str
    images: list[CleanImage] = field(default_factory=list)


class ListingBatch:
    """At most 200 listings of an import."""

    def __init__(
        self,
        run: ImportRun,
        records: Sequence[Numbered],
        categories: set[str],
        publishers: set[str],
    ) -> None:
        """`categories` and `publishers` are the slugs that there are (or would be)."""
        self._run = run
        self._records = records
        self._category_slugs = categories
        self._publisher_slugs = set(publishers)
        self._tasks: list[_Task] = []
        self._outcomes: Counter[Outcome] = Counter()
        self._problems: list[Problem] = []
        self._numbers: Mapping[int, int] = {}
        self.successors: list[tuple[int, str, str]] = []

    def plan(self) -> None:
        """Compare the records with the catalogue. Reads only."""
        slugs = [item.record.envelope.slug for item in self._records]
        existing = queries.listings_of(slugs)
        unknown = {item.record.envelope.publisher for item in self._records}
        self._publisher_slugs |= set(queries.partner_ids(unknown - self._publisher_slugs))
        imported = queries.imported_revisions(
            row.published_revision_id
            for row in existing.values()
            if row.published_revision_id is not None
        )
        self._numbers = queries.last_revision_numbers(row.id for row in existing.values())
        for item in self._records:
            row = existing.get(item.record.envelope.slug)
            wrong = self._objections(item.record, row)
            if not wrong:
                task = self._task(item, row)
                if row is not None and not self._run.overwrite:
                    if row.import_digest == task.digest:
                        self._outcomes[Outcome.UNCHANGED] += 1
                        continue
                    if task.content_differs and row.published_revision_id not in imported:
                        wrong = {"": EDITED_HERE}
            if wrong:
                self._outcomes[Outcome.REFUSED] += 1
                self._problems += [Problem(item.line, name, text) for name, text in wrong.items()]
                continue
            self._decide(task)

    def apply(self) -> None:
        """Write what was planned. Flushes."""
        if not self._tasks or self._run.dry_run:
            return
        at = clock.now()
        owners = queries.partner_ids({task.record.envelope.publisher for task in self._tasks})
        categories = queries.all_categories()
        for task in self._tasks:
            if task.listing is None:
                task.listing = _new_listing(task, owners)
                db.session.add(task.listing)
        db.session.flush()
        listings = [task.listing for task in self._tasks if task.listing is not None]
        revisions = {
            id(task): _revision(task, self._numbers, at)
            for task in self._tasks
            if task.content_differs
        }
        db.session.add_all(revisions.values())
        db.session.flush()
        images: list[tuple[int, CleanImage]] = []
        with db.session.no_autoflush:
            for task, listing in zip(self._tasks, listings, strict=True):
                listing.publisher_id = owners[task.record.envelope.publisher]
                listing.import_digest = task.digest
                _apply_envelope(listing, task.record, at)
                if task.content_differs:
                    listing.published_revision_id = revisions[id(task)].id
                    apply_content(
                        listing, task.content, at=at, categories=categories, announce=False
                    )
                images += [(listing.publisher_id, image) for image in task.images]
        db.session.flush()
        store_images(images)
        listings_changed([listing.id for listing in listings])
        record_fact(
            "catalogue.imported",
            subject=("catalogue", self._run.file_name[:64]),
            data={
                "listings": [listing.id for listing in listings],
                "first_line": self._tasks[0].line,
                "last_line": self._tasks[-1].line,
            },
        )

    def add_to(self, report: ImportReport) -> None:
        """Add what became of the lines."""
        for outcome, count in self._outcomes.items():
            report.add("listing", outcome, count)
        report.problems.extend(self._problems)

    def _objections(self, record: ListingRecord, row: Listing | None) -> dict[str, str]:
        envelope = record.envelope
        wrong: dict[str, str] = {}
        if envelope.publisher not in self._publisher_slugs:
            wrong["publisher"] = f"There is no publisher {envelope.publisher}"
        for slug in record.content.categories:
            if slug not in self._category_slugs:
                wrong.setdefault("categories", f"There is no category {slug}")
        if envelope.published_on and envelope.published_on > _tomorrow():
            wrong["published_on"] = "The day lies in the future"
        if row is not None and row.publisher.slug != envelope.publisher:
            wrong["slug"] = f"It belongs to a listing of {row.publisher.slug} here"
        return wrong

    def _task(self, item: Numbered, row: Listing | None) -> _Task:
        images: list[CleanImage] = []
        content = self._with_images(item, images)
        written = content.to_json()
        differs = row is None or row.published_at is None or row.content != written
        digest = _digest(item.record.envelope, written)
        return _Task(item.line, item.record, content, row, differs, digest, images)

    def _with_images(self, item: Numbered, images: list[CleanImage]) -> ListingContent:
        envelope = item.record.envelope
        logo: ImageRef | None = None
        if envelope.logo:
            try:
                image = self._run.pictures.load(envelope.logo, LOGO)
                images.append(image)
                logo = ImageRef(key=image.key, width=image.width, height=image.height)
            except ImageRefusedError as error:
                self._problems.append(Problem(item.line, "logo", str(error), refused=False))
        shots: list[Screenshot] = []
        for position, shot in enumerate(envelope.screenshots):
            try:
                image = self._run.pictures.load(shot.file, SCREENSHOT)
            except ImageRefusedError as error:
                name = f"screenshots.{position}"
                self._problems.append(Problem(item.line, name, str(error), refused=False))
                continue
            images.append(image)
            shots.append(
                Screenshot(
                    key=image.key,
                    width=image.width,
                    height=image.height,
                    caption=shot.caption,
                    alt=shot.alt,
                )
            )
        if logo is None and not shots:
            return item.record.content
        return item.record.content.model_copy(update={"logo": logo, "screenshots": tuple(shots)})

    def _decide(self, task: _Task) -> None:
        envelope, row = task.record.envelope, task.listing
        if envelope.successor is not None and (
            row is None or row.successor is None or row.successor.slug != envelope.successor
        ):
            self.successors.append((task.line, envelope.slug, envelope.successor))
        if row is None:
            self._outcomes[Outcome.CREATED] += 1
        elif task.content_differs or _envelope_differs(row, task.record):
            self._outcomes[Outcome.UPDATED] += 1
        else:
            self._outcomes[Outcome.UNCHANGED] += 1
            return
        self._tasks.append(task)


def apply_successors(
    run: ImportRun, successors: Sequence[tuple[int, str, str]], report: ImportReport
) -> None:
    """Link deprecated listings with the ones that replace them, now that all are there.

    `successors` are (line, slug, slug of the successor). Flushes.
    """
    ids = queries.listing_ids_of({slug for _line, *pair in successors for slug in pair})
    changed: list[int] = []
    for line, slug, successor in successors:
        if successor not in ids:
            if not run.dry_run:
                report.problems.append(
                    Problem(line, "successor", f"There is no listing {successor}", refused=False)
                )
            continue
        listing = db.session.get(Listing, ids[slug]) if slug in ids else None
        if listing is not None and listing.successor_id != ids[successor]:
            listing.successor_id = ids[successor]
            changed.append(listing.id)
    db.session.flush()
    listings_changed(changed)


def _digest(envelope: ListingEnvelope, content: dict[str, Any]) -> str:
    text = json.dumps(
        [envelope.model_dump(mode="json", exclude={"logo", "screenshots"}), content],
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _new_listing(task: _Task, owners: Mapping[str, int]) -> Listing:
    envelope, content = task.record.envelope, task.content
    return Listing(
        slug=envelope.slug,
        publisher_id=owners[envelope.publisher],
        name=content.name,
        tagline=content.tagline,
        kind=content.kind,
        pricing_model=content.pricing.model,
        # Known to be empty: nothing need be loaded to find that out.
        category_links=[],
        versions=[],
    )


def _revision(task: _Task, numbers: Mapping[int, int], at: datetime) -> Revision:
    listing = task.listing
    if listing is None:
        raise LookupError("a revision needs its listing")
    return Revision(
        listing_id=listing.id,
        number=numbers.get(listing.id, 0) + 1,
        state=RevisionState.PUBLISHED,
        content=task.content.to_json(),
        base_content=dict(listing.content or {}),
        review_reasons=[IMPORTED_REASON],
        created_at=at,
        updated_at=at,
        published_at=at,
    )


def _envelope_differs(row: Listing, record: ListingRecord) -> bool:
    envelope = record.envelope
    known = {version.version: version for version in row.versions}
    return (
        row.status.value != envelope.status
        or row.status_reason != envelope.status_reason
        or (row.successor is not None and row.successor.slug != envelope.successor)
        or (envelope.certified is not None and envelope.certified != (row.certified_at is not None))
        or (envelope.published_on is not None and _day(row.published_at) != envelope.published_on)
        or (envelope.source != "" and row.source != envelope.source)
        or any(
            version.version not in known
            or known[version.version].released_on != version.released_on
            or known[version.version].changelog != version.changelog
            for version in envelope.versions
        )
    )


def _apply_envelope(listing: Listing, record: ListingRecord, at: datetime) -> None:
    envelope = record.envelope
    listing.status = ListingStatus(envelope.status)
    listing.status_reason = envelope.status_reason
    if envelope.successor is None:
        listing.successor_id = None
    if envelope.certified is not None and envelope.certified != (listing.certified_at is not None):
        listing.certified_at = at if envelope.certified else None
    if envelope.published_on is not None and _day(listing.published_at) != envelope.published_on:
        listing.published_at = datetime.combine(envelope.published_on, time(), UTC)
    if envelope.source:
        listing.source = envelope.source
    if not envelope.versions:
        return
    known = {version.version: version for version in listing.versions}
    for version in envelope.versions:
        values: dict[str, Any] = {
            "released_on": version.released_on,
            "changelog": version.changelog,
        }
        row = known.get(version.version)
        if row is None:
            listing.versions.append(
                ListingVersion(version=version.version, changed_at=at, checked_at=at, **values)
            )
        elif any(getattr(row, name) != value for name, value in values.items()):
            # What the import does not change stays as unchecked as it was.
            for name, value in values.items():
                setattr(row, name, value)
            row.changed_at = row.checked_at = at
            row.checked_by_id = None


def _day(value: datetime | None) -> date | None:
    return value.astimezone(UTC).date() if value is not None else None


def _tomorrow() -> date:
    return (clock.now() + timedelta(days=1)).date()
