"""Where the embedded index lives: generations, the pointer to the live one, locks, checks.

``<folder>/<index>/current.json`` names the live generation, ``<index>/<generation>/`` holds
it. A rebuild fills a new folder and replaces the pointer in one step, so that readers in any
process see the old index or the new one and never half of each. Local disk only: locks and
renames are not dependable on network file systems.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

POINTER = "current.json"
META = "meta.json"
_KINDS = ("term", "idx", "pos", "fieldnorm", "fast", "store")
_FOOTER_MAGIC = 1337
_BLOCK = 1 << 20


class Damaged(Exception):  # noqa: N818 - says what is the case
    """What is on disk cannot be used."""


class Busy(Exception):  # noqa: N818 - says what is the case
    """Another process holds the lock and did not let go in time."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which generation is live, what it was built for, and the table of synonyms."""

    generation: str
    stamp: str
    synonyms: tuple[tuple[str, ...], ...] = ()


Signature = tuple[int, int, int]


def signature(path: Path) -> Signature | None:
    """What changes whenever a file is replaced; ``None`` if it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Home:
    """The folder of one index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pointer_path = folder / POINTER

    def pointer(self) -> Pointer | None:
        """The pointer; ``None`` if there is no index. Raises :class:`Damaged`."""
        try:
            raw = json.loads(self.pointer_path.read_bytes())
            groups = tuple(tuple(str(item) for item in group) for group in raw["synonyms"])
            generation = str(raw["generation"])
            if "/" in generation or generation.startswith("."):
                raise Damaged("the pointer to the index leads elsewhere")
            return Pointer(generation, str(raw["stamp"]), groups)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(f"the pointer to the index cannot be read: {error}") from error

    def publish(self, pointer: Pointer) -> None:
        """Make a generation the live one, in one step that survives a power cut."""
        draft = self.folder / f".{POINTER}.{secrets.token_hex(4)}"
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(pointer), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self.pointer_path)

    def generation(self, pointer: Pointer) -> Path:
        """The folder of a generation."""
        return self.folder / pointer.generation

    def new_generation(self) -> str:
        """A new, empty generation's name; its folder is made."""
        name = f"g{time.time_ns():x}-{secrets.token_hex(3)}"
        (self.folder / name).mkdir(parents=True)
        return name

    def sweep(self, keep: str) -> None:
        """Delete all generations but one. Those who still read them keep their open files."""
        for path in self.folder.glob("g*-*"):
            if path.name != keep and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def size(self, pointer: Pointer) -> int:
        """Bytes on disk of a generation."""
        folder = self.generation(pointer)
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())

    @contextmanager
    def lock(self, name: str, timeout: float) -> Iterator[None]:
        """Hold a lock that keeps out other threads and other processes.

        Raises :class:`Busy` after ``timeout`` seconds. The system lets go of it when its
        holder dies.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + timeout
        handle = os.open(self.folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise Busy(f"the {name} lock of {self.folder.name} is held") from None
                    time.sleep(0.02)
            yield
        finally:
            os.close(handle)


def check_files(folder: Path, known: dict[str, Signature]) -> dict[str, Signature]:
    """Compare every file of the index with the checksum in its own footer.

    Files never change once written, so that those in ``known`` are only looked at, not read
    again; what is returned is for the next call. A damaged file must be found before it is
    mapped into memory, where it could end the process. Raises :class:`Damaged`.
    """
    while True:
        raw, found = _listed(folder)
        lacking = _lacking(raw, found)
        if not lacking:
            break
        if (folder / META).read_bytes() == raw:
            raise Damaged(f"a file of the index is missing: {lacking}")
        # Another process merged segments between our two looks: the newer list counts.
    seen: dict[str, Signature] = {}
    for path in found:
        mark = signature(path)
        if mark is None:
            continue  # merged away meanwhile; the reload sees the newer list
        if known.get(path.name) != mark:
            _check_footer(path)
        seen[path.name] = mark
    return seen


def _listed(folder: Path) -> tuple[bytes, list[Path]]:
    """The list of segments as it stands, and the files of the segments in it."""
    try:
        raw = (folder / META).read_bytes()
        live = _segments(raw)
        return raw, [path for path in folder.iterdir() if path.name.split(".")[0] in live]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"the index cannot be read: {error}") from error


def _segments(raw: bytes) -> set[str]:
    return {str(item["segment_id"]).replace("-", "") for item in json.loads(raw)["segments"]}


def _lacking(raw: bytes, found: list[Path]) -> str:
    """A file that the list of segments promises and that is not there."""
    present = {path.name for path in found}
    promised = (f"{name}.{kind}" for name in sorted(_segments(raw)) for kind in _KINDS)
    return next((name for name in promised if name not in present), "")


def _check_footer(path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.seek(-8, os.SEEK_END)
            end = file.tell()
            length, magic = struct.unpack("<II", file.read(8))
            file.seek(end - length)
            footer = json.loads(file.read(length))
            left, crc = end - length, 0
            file.seek(0)
            while left:
                block = file.read(min(left, _BLOCK))
                if not block:
                    raise Damaged(f"{path.name} is cut short")
                crc = zlib.crc32(block, crc)
                left -= len(block)
            if magic != _FOOTER_MAGIC or crc != int(footer["crc"]):
                raise Damaged(f"{path.name} does not match its checksum")
    except FileNotFoundError:
        return  # merged away between the listing and now; the reload sees the newer list
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise Damaged(f"{path.name} is cut short or overwritten: {error}") from error
