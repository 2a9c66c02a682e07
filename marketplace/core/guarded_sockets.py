"""Sockets with one deadline for everything, and a limit for the headers of an answer.

A timeout of a socket is for one read: a server that sends a byte now and then never meets it.
These sockets set what is left of the whole time before each read and write.
"""

import os
import socket
import ssl
import time
from pathlib import Path
from typing import Any

MAX_HEADER_BYTES = 32 * 1024
# Reads ask for this much at most while headers are expected, so that the count is exact enough.
_STEP = 8 * 1024


class HeadersTooLargeError(OSError):
    """The answer's headers go beyond MAX_HEADER_BYTES."""


class Watch:
    """The time and the header bytes that one request has left; `deadline` is monotonic."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._header_bytes: int | None = None

    def left(self) -> float:
        """Seconds until the deadline, below zero after it."""
        return self._deadline - time.monotonic()

    def expect_headers(self) -> None:
        """From now on what is read counts as headers."""
        self._header_bytes = MAX_HEADER_BYTES

    def headers_are_read(self) -> None:
        """From now on what is read is the body, whose reader has a limit of its own."""
        self._header_bytes = None

    def arm(self, sock: socket.socket) -> None:
        """Give the next read or write what is left. Raises TimeoutError after the deadline."""
        left = self.left()
        if left <= 0:
            raise TimeoutError("the whole time is over")
        sock.settimeout(left)

    def step(self, wanted: int) -> int:
        """How much may be read at once."""
        return min(wanted, _STEP) if self._header_bytes is not None else wanted

    def count(self, size: int) -> None:
        """Note what was read. Raises HeadersTooLargeError."""
        if self._header_bytes is not None:
            self._header_bytes -= size
            if self._header_bytes < 0:
                raise HeadersTooLargeError("headers too large")


class GuardedSocket(socket.socket):
    """A plain socket under a watch."""

    watch: Watch | None = None

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Read within what is left."""
        if self.watch is None:
            return super().recv_into(buffer, nbytes, flags)
        self.watch.arm(self)
        size = super().recv_into(buffer, self.watch.step(nbytes or len(buffer)), flags)
        self.watch.count(size)
        return size

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Write within what is left (the system counts the time of all of it)."""
        if self.watch is not None:
            self.watch.arm(self)
        super().sendall(data, flags)


class GuardedTlsSocket(ssl.SSLSocket):
    """A TLS socket under a watch, once its connection has set it."""

    watch: Watch | None = None

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read within what is left."""
        if self.watch is None:
            return super().recv_into(buffer, nbytes, flags)
        self.watch.arm(self)
        size = super().recv_into(buffer, self.watch.step(nbytes or len(buffer)), flags)
        self.watch.count(size)
        return size

    def send(self, data: Any, flags: int = 0) -> int:
        """Write within what is left; sendall of a TLS socket comes here as well."""
        if self.watch is not None:
            self.watch.arm(self)
        return super().send(data, flags)


def guarded_tls_context(cafile: str | None = None) -> ssl.SSLContext:
    """Verifies certificates and names; trusts `cafile`, else whom the system trusts."""
    if cafile is None and not _system_has_authorities():
        import certifi  # a machine without authorities of its own; requests brings these

        cafile = certifi.where()
    context = ssl.create_default_context(cafile=cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = GuardedTlsSocket
    return context


def _system_has_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    folder = Path(str(paths.capath)) if paths.capath else None
    has_folder = folder is not None and folder.is_dir() and bool(os.listdir(folder))
    return has_folder or paths.cafile is not None
