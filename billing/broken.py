"""What `billing verify` yields."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """A row that is not what it must be. `check` is the invariant's name."""

    check: str
    row: str
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: {self.row}: {self.detail}"
