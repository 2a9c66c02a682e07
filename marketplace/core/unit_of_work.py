"""One request, one transaction: services flush, the edge commits.

`UnitOfWorkFlask` commits once when a view has answered with a status below 400, and rolls
back otherwise. Commands and jobs use `unit_of_work()`. Nothing else commits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, g
from flask.typing import ResponseReturnValue
from sqlalchemy import event
from sqlalchemy.orm import Session

from marketplace.core.database import db

_AFTER_COMMIT = "portico_after_commit"
# Recorded facts wait under this key for the commit (see facts.py).
PENDING_FACTS = "portico_pending_facts"


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Commit what the block wrote, or roll all of it back when it raises."""
    session = db.session()
    try:
        yield session
        session.commit()
    except BaseException:
        roll_back(session)
        raise


def roll_back(session: Session) -> None:
    """Undo the transaction and forget what waited for its commit.

    SQLAlchemy tells of a rollback only when the database had been spoken to, hence by hand.
    """
    session.rollback()
    session.info.pop(_AFTER_COMMIT, None)
    session.info.pop(PENDING_FACTS, None)


def after_commit(action: Callable[[], None]) -> None:
    """Run `action` once the current transaction is committed; forget it on rollback.

    Only for wake-ups whose loss is harmless. An effect that must happen is a job.
    """
    db.session().info.setdefault(_AFTER_COMMIT, []).append(action)


def keep_writes() -> None:
    """Commit this request's writes although it answers with an error status."""
    g.portico_keep_writes = True


@event.listens_for(Session, "after_commit")
def _run_after_commit(session: Session) -> None:
    for action in session.info.pop(_AFTER_COMMIT, []):
        action()


class UnitOfWorkFlask(Flask):
    """A Flask whose requests are one transaction each."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func` itself: nothing here is a coroutine, so that no request needs to look."""
        return func

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer, then commit (status below 400) or roll back; nothing for what used no session."""
        sessions = db.session.registry
        try:
            response = self.make_response(super().dispatch_request())
            if sessions.has():
                if response.status_code < 400 or g.get("portico_keep_writes"):
                    sessions().commit()
                else:
                    roll_back(sessions())
        except BaseException:
            if sessions.has():
                roll_back(sessions())
            raise
        return response
