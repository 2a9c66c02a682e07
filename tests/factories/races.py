"""Doing several things at once."""

import threading
from collections.abc import Callable, Sequence

import pytest
from flask import Flask

from marketplace.core.database import db


def at_once(app: Flask, acts: Sequence[Callable[[], object]]) -> list[BaseException]:
    """Run the acts in threads of their own, begun together; what they raised."""
    start = threading.Barrier(len(acts))
    raised: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                act()
            except Exception as error:  # noqa: BLE001 - the test looks at what was raised
                raised.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def meanwhile(
    app: Flask, monkeypatch: pytest.MonkeyPatch, where: object, name: str, act: Callable[[], object]
) -> Callable[[], list[BaseException]]:
    """Let somebody else `act` and commit at the moment when `where.name` is called next.

    They get a moment to do it, in a thread of their own; whoever holds a lock makes them wait.
    Call what this gives when you have committed: what they raised.
    """
    raised: list[BaseException] = []
    threads: list[threading.Thread] = []
    really = getattr(where, name)

    def run() -> None:
        with app.app_context():
            try:
                act()
                db.session.commit()
            except Exception as error:  # noqa: BLE001 - the test looks at what was raised
                raised.append(error)
            finally:
                db.session.remove()

    def called(*args: object, **kwargs: object) -> object:
        if not threads:
            threads.append(threading.Thread(target=run))
            threads[0].start()
            threads[0].join(0.3)
        return really(*args, **kwargs)

    monkeypatch.setattr(where, name, called)

    def done() -> list[BaseException]:
        assert threads, f"{name} was never called"
        threads[0].join()
        return raised

    return done
