"""The types of partners that organizations can be: those of the program's policy, as soon as
there is one. wiring.py says who knows them."""

from collections.abc import Callable, Iterator, Mapping

# Without a policy: key and label.
FALLBACK: Mapping[str, str] = {
    "technology": "Technology partner",
    "developer": "Developer",
    "integration": "Integration partner",
    "agency": "Agency",
    "consulting": "Consulting",
    "reseller": "Reseller",
    "affiliate": "Affiliate",
    "white_label": "White label",
    "franchise": "Franchise",
    "academic": "Academic",
    "non_profit": "Non-profit",
    "government": "Government",
}
Lookup = Callable[[], Mapping[str, str] | None]
_lookups: list[Lookup] = [lambda: None]
_open_lookups: list[Lookup] = [lambda: None]


def look_up_partner_types_with(lookup: Lookup, open_ones: Lookup) -> None:
    """Tell who knows the types: keys and labels in order, or None when nobody says. `open_ones`:
    those that take new partners."""
    _lookups[:], _open_lookups[:] = [lookup], [open_ones]


class _Offered(Mapping[str, str]):
    """Keys and labels of the types that there are at this moment."""

    def __init__(self, lookups: list[Lookup]) -> None:
        self._lookups = lookups

    def __getitem__(self, key: str) -> str:
        return self._now()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, str]:
        found = self._lookups[0]()
        return FALLBACK if found is None else found


# Looks anew each time that it is asked; forms give it to their fields as a callable.
PARTNER_TYPES: Mapping[str, str] = _Offered(_lookups)
# Those that an organization can choose for itself.
OPEN_PARTNER_TYPES: Mapping[str, str] = _Offered(_open_lookups)
