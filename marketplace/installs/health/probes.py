"""Asking status addresses, many at a time, without a database."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from marketplace.core.outbound import OutboundFailedError, OutboundRefusedError, send

SECONDS = 3
THREADS = 16
_MOST_BYTES = 1_024
OK = 200


@dataclass(frozen=True)
class Target:
    """An app's row and its status address."""

    app_id: int
    url: str


@dataclass(frozen=True)
class Probed:
    """What a probe saw; `reason` says why it counts as failed, empty when it answered."""

    app_id: int
    reason: str = ""

    @property
    def answered(self) -> bool:
        """Whether the answer was exactly 200, in time."""
        return not self.reason


def probe(target: Target) -> Probed:
    """Ask once."""
    try:
        answer = send(
            "GET",
            target.url,
            headers={"Accept": "*/*"},
            connect_timeout=SECONDS,
            total_timeout=SECONDS,
            max_bytes=_MOST_BYTES,
        )
    except (OutboundFailedError, OutboundRefusedError) as error:
        return Probed(target.app_id, error.detail[:200])
    if answer.status != OK:
        return Probed(target.app_id, f"Answered {answer.status}.")
    return Probed(target.app_id)


def probe_all(targets: Sequence[Target]) -> list[Probed]:
    """Ask each of these; as long as the slowest in each round of THREADS takes."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="portico-probe") as pool:
        return list(pool.map(probe, targets))
