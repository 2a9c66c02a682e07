"""The countries to choose from: ISO 3166-1 alpha-2 codes with their English names."""

from babel import Locale

# The Unicode data also names regions, unions and codes that ISO 3166 reserves.
_NOT_COUNTRIES = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}
)

COUNTRIES: dict[str, str] = {
    code: name
    for code, name in sorted(Locale("en").territories.items(), key=lambda item: item[1])
    if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
}
