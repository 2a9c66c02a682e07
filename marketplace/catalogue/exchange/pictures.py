"""Images beside a catalogue file: found, checked and encoded anew, those that repeat only once."""

import hashlib
from pathlib import Path

from marketplace.core.images import CleanImage, ImageRefusedError, ImageRule, clean_image

MAX_FILE_BYTES = 5 * 1024 * 1024
KEEP = 64
"""Images kept in memory, for a logo that many listings share."""


class PictureFolder:
    """The folder of a catalogue file. Files outside of it are not opened."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that paths are relative to."""
        self._folder = folder.resolve()
        self._seen: dict[tuple[str, str], CleanImage] = {}

    def load(self, path: str, rule: ImageRule) -> CleanImage:
        """The image of that path, made fit by `rule`. Raises ImageRefusedError."""
        try:
            file = (self._folder / path).resolve()
            if not file.is_relative_to(self._folder):
                raise ImageRefusedError("the file is not beside the catalogue file")
            if not file.is_file():
                raise ImageRefusedError(f"there is no file {path}")
            if file.stat().st_size > MAX_FILE_BYTES:
                raise ImageRefusedError("The file is larger than 5 MB. Use a smaller one.")
            upload = file.read_bytes()
        except OSError as error:
            raise ImageRefusedError(f"the file cannot be read: {error.strerror}") from error
        except RuntimeError as error:
            # What Python before 3.13 makes of links that lead to each other.
            raise ImageRefusedError("the file cannot be read: a link leads to itself") from error
        if len(self._seen) >= KEEP:
            self._seen.clear()
        known = (hashlib.sha256(upload).hexdigest(), rule.label)
        if known not in self._seen:
            self._seen[known] = clean_image(upload, rule)
        return self._seen[known]
