"""Which engine: a Meilisearch server when there is an address, else the embedded one."""

from __future__ import annotations

from pathlib import Path

from search.engine import SearchEngine


def build_engine(url: str | None, api_key: str | None, path: Path) -> SearchEngine:
    """The engine for these settings. Touches neither disk nor network until it is used.

    ``url`` and ``api_key`` are those of a Meilisearch server; without a ``url`` the index
    lives in the folder ``path``, which must be on a local disk. Engines are imported here
    and not above, so that a plain install loads only the one it uses.
    """
    if url:
        from search.meili import MeiliEngine

        return MeiliEngine(url, api_key)
    from search.embedded import EmbeddedEngine

    return EmbeddedEngine(path)
