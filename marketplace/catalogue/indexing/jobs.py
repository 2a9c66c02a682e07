"""The jobs that keep search in step. Each reads the database when it runs and is idempotent."""

import logging
from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from marketplace.catalogue.changes import (
    APPLY_SYNONYMS,
    INDEX_LISTING,
    INDEX_LISTINGS,
    INDEX_PUBLISHER,
)
from marketplace.catalogue.indexing import services
from marketplace.catalogue.indexing.spec import SPECS
from marketplace.core.jobs import Payload, RetryLater, job_handler, periodic
from search.engine import SearchEngine, SearchUnavailable

log = logging.getLogger(__name__)

WAIT_SECONDS = 15
# Longer than reading a very large catalogue whole takes.
WHOLE_CATALOGUE = timedelta(hours=1)


def setup_indexing(app: Flask) -> None:
    """Make the indexes known to the engine of this process. Creates and alters none."""
    engine: SearchEngine = app.extensions["portico_search"]
    for spec in SPECS:
        engine.ensure_index(spec, create=False)


def _when_available(act: Callable[[], object]) -> None:
    """Do `act`; when the engine does not answer, try again later, without end and without
    counting it as a failure. An index that needs building anew gets it instead: that writes
    what `act` would have written."""
    try:
        act()
    except SearchUnavailable as error:
        if error.rebuild:
            services.request_rebuild()
            return
        after = max(error.retry_after or 0, WAIT_SECONDS)
        raise RetryLater(timedelta(seconds=after), error.reason) from error


@job_handler(INDEX_LISTING)
def index_listing(payload: Payload) -> None:
    """A listing changed."""
    _when_available(lambda: services.index_listings([int(payload["listing_id"])]))


@job_handler(INDEX_LISTINGS)
def index_listings(payload: Payload) -> None:
    """Many listings changed at once."""
    _when_available(lambda: services.index_listings([int(each) for each in payload["listing_ids"]]))


@job_handler(INDEX_PUBLISHER)
def index_publisher(payload: Payload) -> None:
    """A publisher changed."""
    _when_available(lambda: services.index_publisher(int(payload["organization_id"])))


@job_handler(APPLY_SYNONYMS)
def apply_synonyms(_payload: Payload) -> None:
    """The synonyms changed."""
    _when_available(services.apply_synonyms)


@job_handler(services.REBUILD, lease=WHOLE_CATALOGUE)
def rebuild(_payload: Payload) -> None:
    """All indexes are to be built anew."""

    def act() -> None:
        for spec in SPECS:
            services.rebuild(spec)

    _always_later(act)


@periodic("search.check", every=timedelta(minutes=1), lease=WHOLE_CATALOGUE)
def check(_payload: Payload) -> None:
    """An index may be missing, damaged or of another schema: then it is built anew."""

    def act() -> None:
        for name in services.rebuild_what_is_broken():
            log.warning("an index was built anew", extra={"index": name})

    _always_later(act)


@periodic("search.verify", every=timedelta(days=1), lease=WHOLE_CATALOGUE)
def verify(_payload: Payload) -> None:
    """Once a night the index is compared with the database and mended."""

    def act() -> None:
        for spec in SPECS:
            services.verify(spec)

    _when_available(act)


def _always_later(act: Callable[[], object]) -> None:
    try:
        act()
    except SearchUnavailable as error:
        after = max(error.retry_after or 0, WAIT_SECONDS)
        raise RetryLater(timedelta(seconds=after), error.reason) from error
