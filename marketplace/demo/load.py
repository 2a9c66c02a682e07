"""What `flask --app wsgi demo load` loads: the demo catalogue and the people who use it.

Loading twice changes nothing and is quick: what was loaded last is remembered by a hash of
the files, as a fact.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select

from marketplace.catalogue.engagement.services.popularity import refresh_popularity
from marketplace.catalogue.exchange.services import ImportReport, import_catalogue
from marketplace.catalogue.exchange.services.report import Outcome
from marketplace.catalogue.indexing import services as indexing
from marketplace.catalogue.indexing.spec import SPECS
from marketplace.config import Settings
from marketplace.core.database import db
from marketplace.core.facts import Fact, record_fact
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo import activity, apps
from marketplace.demo.people import PROVIDER, demo_people, load_people
from marketplace.demo.program.loading import load_program
from marketplace.demo.timeline import load_timeline
from marketplace.demo.trading.loading import load_trading

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "catalogue"
LOADED = "demo.loaded"
DEFAULT_ISSUER = "http://127.0.0.1:8001"

Tell = Callable[[str], None]


class DemoFilesError(ValueError):
    """A file of the demo catalogue cannot be used; the message names it."""


def load_demo(folder: Path = FOLDER, *, tell: Tell = log.info) -> bool:
    """Load the folder's catalogue, customers, reviews, collections and people.

    Safe to call again, also after it was interrupted. True when there was something to do.
    Commits in steps. Raises DemoFilesError.
    """
    stamp = folder_stamp(folder)
    if _loaded_stamp() == stamp:
        _load_people(folder)
        _load_apps(folder)
        _load_trading(folder, tell)
        _load_program(folder, tell)
        for name in indexing.rebuild_what_is_broken():
            tell(f"The search index {name} was built anew.")
        return False
    report = import_catalogue(folder / "catalogue.jsonl", form="portico")
    _tell_import(report, tell)
    customers = _rows(folder, "customers.json")
    reviews = _rows(folder, "reviews.json")
    with unit_of_work():
        counts = {
            "customers": activity.add_customers(customers, reviews),
            "uses": activity.add_uses(_rows(folder, "uses.json")),
            "reviews": activity.add_reviews(reviews),
            "collections": activity.add_collections(_rows(folder, "collections.json")),
            "requests": activity.add_requests(_rows(folder, "requests.json")),
            "synonym groups": activity.add_synonyms(_rows(folder, "synonyms.json")),
            "scopes": apps.add_scopes(_rows(folder, "scopes.json")),
        }
        activity.count_everything()
        refresh_popularity()
    _load_people(folder)
    _load_apps(folder)
    load_timeline(folder / "activity.json")
    _load_trading(folder, tell)
    _load_program(folder, tell)
    tell(", ".join(f"{count} {name}" for name, count in counts.items()) + " added.")
    for spec in SPECS:
        done = indexing.rebuild(spec)
        tell(f"Search: {done.documents} {done.index}.")
    with unit_of_work():
        record_fact(LOADED, subject=("demo", "catalogue"), data={"stamp": stamp})
    return True


def folder_stamp(folder: Path) -> str:
    """A hash of the names and contents of all files in the folder. Raises DemoFilesError."""
    digest = hashlib.sha256()
    try:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(str(file.relative_to(folder)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    except OSError as error:
        raise DemoFilesError(f"{error.filename} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _loaded_stamp() -> str | None:
    data = db.session.scalar(
        select(Fact.data).where(Fact.kind == LOADED).order_by(Fact.id.desc()).limit(1)
    )
    return str(data.get("stamp")) if data else None


def _load_people(folder: Path) -> None:
    """The people to sign in as; their provider may have another address than last time."""
    file = folder / "people.json"
    if not file.is_file():
        return
    settings: Settings = current_app.extensions["portico_settings"]
    issuers = [each.issuer for each in settings.oidc_providers if each.name == PROVIDER]
    with unit_of_work():
        load_people(demo_people(file), issuer=issuers[0] if issuers else DEFAULT_ISSUER)


def _load_apps(folder: Path) -> None:
    """Apps and their installations; the sample app may have another address than last time."""
    with unit_of_work():
        apps.add_apps(_rows(folder, "apps.json"), apps.SampleApp.from_environment())


def _load_trading(folder: Path, tell: Tell) -> None:
    """A hundred days of sales, where there is a stand-in for Stripe to make them with."""
    settings: Settings = current_app.extensions["portico_settings"]
    file = folder / "trading.json"
    if file.is_file() and settings.stripe_api_base and settings.stripe_webhook_secrets:
        load_trading(file, settings, tell=tell)


def _load_program(folder: Path, tell: Tell) -> None:
    """The partner program, by the history that was loaded before it."""
    file = folder / "program.json"
    if file.is_file():
        load_program(file, tell=tell)


def _rows(folder: Path, name: str) -> Sequence[dict[str, Any]]:
    file = folder / name
    if not file.is_file():
        return []
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DemoFilesError(f"{name} cannot be used: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DemoFilesError(f"{name} cannot be used: it must be a list of objects")
    return rows


def _tell_import(report: ImportReport, tell: Tell) -> None:
    for problem in report.problems:
        tell(f"catalogue.jsonl {problem}")
    created, updated = report.total(Outcome.CREATED), report.total(Outcome.UPDATED)
    tell(f"{created} records created, {updated} updated in {report.seconds:.1f} s.")
