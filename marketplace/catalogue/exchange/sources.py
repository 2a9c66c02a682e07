"""The formats that an import takes, each as lines of the catalogue's own format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

from marketplace.catalogue.exchange.connectors import ConnectorFile, is_connector
from marketplace.catalogue.exchange.lines import Line, Problem, read_lines

Format = Literal["portico", "connectors"]
FORMATS: tuple[Format, ...] = ("portico", "connectors")


class CatalogueSource(Protocol):
    """A file to import. Both methods may be called again."""

    changes_heads: bool
    """Whether categories and publishers that exist are brought up to date as well."""

    def head(self) -> Iterator[Line | Problem]:
        """The categories and publishers, and what is wrong with lines that are nothing."""
        ...

    def listings(self) -> Iterator[Line | Problem]:
        """The listings."""
        ...


class PorticoFile:
    """A file in the catalogue's own format."""

    changes_heads = True

    def __init__(self, path: Path) -> None:
        """Take the file. It is read later."""
        self._path = path

    def head(self) -> Iterator[Line | Problem]:
        """All lines but the listings."""
        for item in read_lines(self._path):
            if isinstance(item, Problem) or item.data.get("record") != "listing":
                yield item

    def listings(self) -> Iterator[Line | Problem]:
        """The lines with a listing."""
        for item in read_lines(self._path):
            if isinstance(item, Line) and item.data.get("record") == "listing":
                yield item


def detect_format(path: Path) -> Format:
    """The format of the first line that can be read. Raises OSError."""
    for item in read_lines(path):
        if isinstance(item, Line):
            return "connectors" if is_connector(item.data) else "portico"
    return "portico"


def open_source(path: Path, form: Format) -> CatalogueSource:
    """The file as a source. Raises OSError when it cannot be read."""
    return ConnectorFile(path) if form == "connectors" else PorticoFile(path)
