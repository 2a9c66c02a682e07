"""The embedded engine: tantivy in the process, an index in a local folder.

Nothing outside this folder imports tantivy.
"""

from search.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
