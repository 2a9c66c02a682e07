"""Counting searches and clicks, a row a day and query, without anything about the person.

`record_search` and `record_click` may be called in a request: the one upsert runs after the
response is made and after its transaction, on a connection of its own that waits only briefly for
a lock. A search is never slower or broken for being counted; a count that fails is logged and
shows in the metric `portico_search_log_lost_total`.
"""

import logging
from typing import Any

from flask import Response, after_this_request, has_request_context
from prometheus_client import Counter
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from marketplace.catalogue.curation.query_privacy import countable
from marketplace.catalogue.models import SearchQueryStat
from marketplace.core import clock
from marketplace.core.database import SQLITE_BUSY_TIMEOUT_MS, db
from marketplace.core.metrics import REGISTRY

log = logging.getLogger(__name__)

WAIT_FOR_LOCK_MS = 250
LOST = Counter(
    "portico_search_log_lost_total", "Searches that could not be counted", registry=REGISTRY
)


def record_search(query: str, total: int) -> None:
    """Count a search for `query` that found `total` listings."""
    _record(query, searches=1, zero_results=0 if total else 1)


def record_click(query: str, position: int) -> None:
    """Count a click on the result at `position` (from 1) of a search for `query`."""
    _record(query, clicks=1, click_position_sum=max(1, position))


def _record(query: str, **counts: int) -> None:
    counted = countable(query)
    if counted is None:
        return
    if not has_request_context():
        _add(counted, counts)
        return

    @after_this_request
    def add(response: Response) -> Response:
        _add(counted, counts)
        return response


def _add(query: str, counts: dict[str, int]) -> None:
    try:
        _upsert(query, counts)
    except SQLAlchemyError as error:
        LOST.inc()
        log.warning("a search was not counted", extra={"error": type(error).__name__})


def _upsert(query: str, counts: dict[str, int]) -> None:
    table: Any = SearchQueryStat
    sqlite = db.engine.dialect.name == "sqlite"
    insert = sqlite_insert if sqlite else postgresql_insert
    row = {"searches": 0, "zero_results": 0, "clicks": 0, "click_position_sum": 0} | counts
    statement = insert(table).values(day=clock.now().date(), query=query, **row)
    statement = statement.on_conflict_do_update(
        index_elements=[table.day, table.query],
        set_={name: getattr(table, name) + statement.excluded[name] for name in counts},
    )
    with db.engine.connect() as connection:
        wait = "PRAGMA busy_timeout={}" if sqlite else "SET LOCAL lock_timeout = {}"
        connection.exec_driver_sql(wait.format(WAIT_FOR_LOCK_MS))
        try:
            connection.execute(statement)
            connection.commit()
        finally:
            if sqlite:
                # The connection goes back to the pool as it came.
                connection.rollback()
                connection.exec_driver_sql(wait.format(SQLITE_BUSY_TIMEOUT_MS))
