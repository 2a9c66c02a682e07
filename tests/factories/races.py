"""Doing several things at once."""

import threading
from collections.abc import Callable, Sequence

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
