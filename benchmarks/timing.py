"""Times as figures."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Percentiles of some calls, in milliseconds."""

    calls: int
    p50: float
    p95: float

    def as_json(self) -> dict[str, float]:
        """For the results file."""
        return {"calls": self.calls, "p50_ms": round(self.p50, 3), "p95_ms": round(self.p95, 3)}


def percentiles(milliseconds: Sequence[float]) -> Times:
    """The figures of these times. Raises ValueError without any."""
    ordered = sorted(milliseconds)
    if not ordered:
        raise ValueError("no times to sum up")
    last = len(ordered) - 1
    return Times(
        len(ordered), ordered[len(ordered) // 2], ordered[min(last, int(len(ordered) * 0.95))]
    )


def milliseconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
