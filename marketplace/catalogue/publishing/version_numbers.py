"""Version numbers of a partner's product. Pure."""

import re

# Two to four numbers, then what SemVer 2.0.0 (https://semver.org) allows after them. A leading
# "v" is dropped.
_VERSION = re.compile(
    r"v?(?P<numbers>\d{1,6}(?:\.\d{1,6}){0,3})"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?P<build>\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
MAX_LENGTH = 40


def parse_version(value: str) -> str | None:
    """The version as it is kept, or None when it is not one (`1.4`, `2.0.0-beta.1` are)."""
    value = value.strip()
    if len(value) > MAX_LENGTH:
        return None
    match = _VERSION.fullmatch(value)
    return value.removeprefix("v") if match else None


def version_key(value: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    """A key that orders versions as SemVer does; `1.4` and `1.4.0` are the same.

    Raises ValueError when `value` is not a version.
    """
    match = _VERSION.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"not a version: {value!r}")
    numbers = [int(part) for part in match["numbers"].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    pre = match["pre"]
    parts = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in (pre.split(".") if pre else ())
    )
    return tuple(numbers), pre is None, parts
