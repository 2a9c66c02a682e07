"""What this package raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence


class SearchError(Exception):
    """The root of everything that this package raises on purpose."""


class SearchUnavailable(SearchError):  # noqa: N818 - says what is the case; the name is the API
    """The engine cannot answer now: fall back to a plain database search.

    ``rebuild`` says that waiting will not help and a rebuild of the index will (it
    is missing, damaged or of another schema). ``retry_after`` is in seconds.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, rebuild: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.rebuild = rebuild


class WriteFailed(SearchError):  # noqa: N818 - says what is the case; the name is the API
    """A write was refused or failed. ``ids`` are the documents that were not written."""

    def __init__(self, reason: str, *, ids: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ids = tuple(ids)


class UnknownIndex(SearchError):  # noqa: N818 - says what is the case; the name is the API
    """No spec of that name was given to ``ensure_index``: a mistake of the caller."""


class UnknownFacet(SearchError):  # noqa: N818 - says what is the case; the name is the API
    """The spec has no such facet or filter field: a mistake of the caller."""


class UnknownSort(SearchError):  # noqa: N818 - says what is the case; the name is the API
    """The spec has no such sort: a mistake of the caller."""
