"""Export: the public catalogue as a file that an import takes."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select

from marketplace.catalogue.exchange.queries import exported_listings, exported_partners
from marketplace.catalogue.exchange.rendering import (
    category_record,
    listing_record,
    logo_path,
    publisher_record,
    screenshot_path,
)
from marketplace.catalogue.models import Category, Listing
from marketplace.core.database import db
from marketplace.core.storage import Storage
from marketplace.identity.models import Organization

BATCH = 500


@dataclass
class ExportReport:
    """How many records were written, and which images were missing in the storage."""

    categories: int = 0
    publishers: int = 0
    listings: int = 0
    images: int = 0
    missing: tuple[str, ...] = ()


def export_catalogue(path: Path) -> ExportReport:
    """Write all that is public (tombstones included) to `path`, images into `media/` beside.

    The same catalogue gives the same bytes. The file appears whole or not at all. Drafts and
    what is suspended are not exported.

    Raises OSError when the file cannot be written, UnavailableError when the storage does not
    answer.
    """
    report = ExportReport()
    images = _ImageCopier(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            for record in _records(report, images):
                file.write(json.dumps(record, ensure_ascii=False, separators=(", ", ": ")))
                file.write("\n")
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    report.images, report.missing = images.copied, tuple(images.missing)
    return report


def _records(report: ExportReport, images: "_ImageCopier") -> Iterator[dict[str, Any]]:
    for category in db.session.scalars(select(Category).order_by(Category.position, Category.slug)):
        report.categories += 1
        yield category_record(category)
    for publisher in db.session.scalars(exported_partners().execution_options(yield_per=BATCH)):
        report.publishers += 1
        yield publisher_record(publisher, images.publisher(publisher))
    after = ""
    while True:
        listings = exported_listings(after, BATCH)
        for listing in listings:
            report.listings += 1
            yield listing_record(listing, *images.listing(listing))
        if len(listings) < BATCH:
            return
        after = listings[-1].slug
        db.session.expunge_all()


class _ImageCopier:
    """Writes stored images beside the file and tells the paths to note."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storage: Storage = current_app.extensions["portico_storage"]
        self.copied = 0
        self.missing: list[str] = []

    def publisher(self, publisher: Organization) -> str | None:
        """The path of the publisher's logo, None without one."""
        if not publisher.logo_key:
            return None
        return self._copy(
            publisher.logo_key, logo_path("publishers", publisher.slug, publisher.logo_key)
        )

    def listing(self, listing: Listing) -> tuple[str | None, list[str | None]]:
        """The paths of the listing's logo and screenshots; None for a missing file."""
        logo = listing.content.get("logo")
        shots = listing.content.get("screenshots") or []
        return (
            self._copy(logo["key"], logo_path("listings", listing.slug, logo["key"]))
            if logo
            else None,
            [
                self._copy(shot["key"], screenshot_path(listing.slug, number, shot["key"]))
                for number, shot in enumerate(shots, start=1)
            ],
        )

    def _copy(self, key: str, path: str) -> str | None:
        data = self._storage.get(key)
        if data is None:
            self.missing.append(path)
            return None
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        self.copied += 1
        return path
