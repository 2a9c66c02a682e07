"""What a consent would change, decided purely."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ScopeChanges:
    """`scopes` is all that the installation holds once consent is given: `new` ones that it did
    not hold before and the `kept` ones. `gone` ones it held, and would lose."""

    scopes: tuple[str, ...]
    new: tuple[str, ...]
    kept: tuple[str, ...]
    gone: tuple[str, ...]


def changes_of(
    granted: Sequence[str], asked: Collection[str], listed: Sequence[str]
) -> ScopeChanges:
    """What consenting to `asked` does to an installation that holds `granted`.

    `listed` are the scopes that the app may ask for now, in the order of the page; what is
    asked is among them. A scope that is granted and listed stays, asked or not; one that is
    listed no more goes.
    """
    scopes = tuple(name for name in listed if name in asked or name in granted)
    return ScopeChanges(
        scopes=scopes,
        new=tuple(name for name in scopes if name not in granted),
        kept=tuple(name for name in scopes if name in granted),
        gone=tuple(name for name in granted if name not in scopes),
    )
