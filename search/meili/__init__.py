"""The Meilisearch engine: a server of its own, one index for any number of machines.

Nothing outside this folder imports the meilisearch client.
"""

from search.meili.engine import MeiliEngine

__all__ = ["MeiliEngine"]
