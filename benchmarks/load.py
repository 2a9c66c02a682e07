"""A small load generator on loopback: threads that keep a connection each."""

import http.client
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.timing import Times, percentiles


@dataclass(frozen=True)
class Load:
    """Requests a second, their times, and how many failed."""

    per_second: float
    times: Times
    failed: int


def drive(port: int, paths: Sequence[str], *, seconds: float, threads: int = 4) -> Load:
    """Ask for `paths` in turn from `threads` connections for `seconds`."""
    found: list[float] = []
    failures: list[int] = []
    turn = itertools.cycle(paths)
    lock = threading.Lock()
    until = time.perf_counter() + seconds

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        times: list[float] = []
        failed = 0
        while (started := time.perf_counter()) < until:
            with lock:
                path = next(turn)
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                times.append((time.perf_counter() - started) * 1000)
            else:
                failed += 1
        connection.close()
        with lock:
            found.extend(times)
            failures.append(failed)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    spent = time.perf_counter() - started
    return Load(len(found) / spent, percentiles(found or [0.0]), sum(failures))
