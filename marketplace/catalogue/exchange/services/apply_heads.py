"""Writing categories and publishers."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from marketplace.catalogue.changes import publisher_changed
from marketplace.catalogue.exchange import queries
from marketplace.catalogue.exchange.lines import Problem
from marketplace.catalogue.exchange.records import CategoryRecord, PublisherRecord
from marketplace.catalogue.exchange.services.report import ImportReport, ImportRun, Outcome
from marketplace.catalogue.exchange.services.store_images import store_images
from marketplace.catalogue.models import Category
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.images import LOGO, CleanImage, ImageRefusedError
from marketplace.identity.models import Organization, OrganizationKind

IMPORTED = "catalogue:"
"""Begins an imported organization's `source`; a hash of what was imported follows."""

EDITED_HERE = "was edited here since its import; --overwrite replaces it"


class HeadBatch:
    """Brings categories and publishers up to date and remembers which there are."""

    def __init__(self, run: ImportRun, changes_existing: bool) -> None:
        """`changes_existing` False: what exists is left as it is."""
        self._run = run
        self._changes = changes_existing
        self._done: tuple[str, list[Outcome], list[Problem]] = ("category", [], [])
        self.categories: set[str] = set()
        self.publishers: set[str] = set()

    def apply_categories(self, records: Sequence[tuple[int, CategoryRecord]]) -> None:
        """Create and update. Flushes."""
        known = queries.all_categories()
        outcomes: list[Outcome] = []
        for _line, record in records:
            values = record.model_dump()
            row = known.get(record.slug)
            if row is None:
                db.session.add(Category(**values))
                outcomes.append(Outcome.CREATED)
            elif not self._changes or all(
                getattr(row, name) == value for name, value in values.items()
            ):
                outcomes.append(Outcome.UNCHANGED)
            else:
                for name, value in values.items():
                    setattr(row, name, value)
                outcomes.append(Outcome.UPDATED)
        db.session.flush()
        self.categories = set(known) | {record.slug for _line, record in records}
        self._done = ("category", outcomes, [])

    def apply_publishers(self, records: Sequence[tuple[int, PublisherRecord]]) -> None:
        """Create and update the partners. Flushes."""
        known = queries.organizations_of(record.slug for _line, record in records)
        outcomes: list[Outcome] = []
        problems: list[Problem] = []
        images: list[tuple[Organization, CleanImage]] = []
        changed: list[Organization] = []
        usable: set[str] = set()
        for line, record in records:
            row = known.get(record.slug)
            if row is not None and row.kind is not OrganizationKind.PARTNER:
                problems.append(Problem(line, "slug", f"{record.slug} is not a partner here"))
                outcomes.append(Outcome.REFUSED)
                continue
            usable.add(record.slug)
            if row is not None and not self._changes:
                outcomes.append(Outcome.UNCHANGED)
                continue
            try:
                logo = self._run.pictures.load(record.logo, LOGO) if record.logo else None
            except ImageRefusedError as error:
                problems.append(Problem(line, "logo", str(error), refused=False))
                logo = None
            values = _values(record, logo)
            is_new = row is None
            if row is None:
                row = Organization(
                    slug=record.slug, kind=OrganizationKind.PARTNER, verified_at=None
                )
                db.session.add(row)
            elif _is_same(row, values, record.verified) or (
                row.source == _source_of(values, record.verified) and not self._run.overwrite
            ):
                # The same line again changes nothing, whatever was edited here since.
                outcomes.append(Outcome.UNCHANGED)
                continue
            elif not self._run.overwrite and not _is_as_imported(row):
                problems.append(Problem(line, "", EDITED_HERE))
                outcomes.append(Outcome.REFUSED)
                continue
            for name, value in values.items():
                setattr(row, name, value)
            row.source = _source_of(values, record.verified)
            if record.verified is not None and record.verified != (row.verified_at is not None):
                row.verified_at = clock.now() if record.verified else None
            outcomes.append(Outcome.CREATED if is_new else Outcome.UPDATED)
            if not is_new:
                changed.append(row)
            if logo is not None:
                images.append((row, logo))
        db.session.flush()
        if not self._run.dry_run:
            store_images([(row.id, image) for row, image in images])
        # A new partner is indexed with its first listing.
        for row in changed:
            publisher_changed(row.id)
            record_fact("publisher.imported", subject=("organization", row.id))
        self.publishers |= usable
        self._done = ("publisher", outcomes, problems)

    def add_to(self, report: ImportReport) -> None:
        """Add what became of the lines of the last call, which is committed now."""
        kind, outcomes, problems = self._done
        for outcome in outcomes:
            report.add(kind, outcome)
        report.problems.extend(problems)


_COLUMNS = ("name", "tagline", "about", "website", "partner_type", "country", "brand_color")


def _values(record: PublisherRecord, logo: CleanImage | None) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _COLUMNS}
    return {**values, "logo_key": logo.key if logo else None}


def _current(row: Organization) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*_COLUMNS, "logo_key")}


def _is_same(row: Organization, values: dict[str, Any], verified: bool | None) -> bool:
    if verified is not None and verified != (row.verified_at is not None):
        return False
    return _current(row) == values


def _is_as_imported(row: Organization) -> bool:
    """Whether an import wrote the profile and nobody changed it since."""
    current = _current(row)
    return row.source in {_source_of(current, verified) for verified in (None, True, False)}


def _source_of(values: dict[str, Any], verified: bool | None) -> str:
    text = json.dumps([values, verified], sort_keys=True, ensure_ascii=False)
    return IMPORTED + hashlib.sha256(text.encode()).hexdigest()[:24]
