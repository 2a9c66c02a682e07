"""Ids of leases that say which process took them: one that died on this machine is not waited for.

A pid means something within one boot, one host and one pid namespace alone. Where these cannot be
told (there is no /proc), or the lease is of another place, a lease ends by its time, as ever.
"""

import hashlib
import os
import secrets
import socket
from functools import cache
from pathlib import Path


def new_lease_id() -> str:
    """A lease of this process: at most 36 characters."""
    return f"{_here() or 'elsewhere'}.{os.getpid()}.{secrets.token_hex(6)}"


def holder_is_gone(lease_id: str) -> bool:
    """Whether the process that took it ran here and runs no more; False when that is not known."""
    place, _, rest = lease_id.partition(".")
    pid = rest.partition(".")[0]
    if not place or place != _here() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it runs, as somebody else
    return False


@cache
def _here() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    text = f"{socket.gethostname()} {boot} {namespace}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]
