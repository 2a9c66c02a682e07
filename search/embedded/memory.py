"""Keeping freed memory in the process.

A query builds automata of some megabytes and frees them at once. The allocator of glibc hands
memory at the top of the heap back to the system as soon as 128 KB are free there, and the next
query has it cleared and mapped again: that was measured to take longer than the search itself.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # malloc.h
_KEEP = 64 << 20
_PAD = 4 << 20
_MMAP = 32 << 20


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to 64 MB that it has freed. Whether that could be set."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library: it has its own ways
        return False
    wishes = ((_TRIM_THRESHOLD, _KEEP), (_TOP_PAD, _PAD), (_MMAP_THRESHOLD, _MMAP))
    return all(mallopt(name, value) for name, value in wishes)
