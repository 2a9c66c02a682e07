"""Schemes of authorization and their levels, as buyers of the public sector name them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scheme:
    """A scheme. `levels` maps keys to names, the lowest first."""

    name: str
    levels: dict[str, str]


SCHEMES: dict[str, Scheme] = {
    "fedramp": Scheme(
        "FedRAMP",
        {"li-saas": "LI-SaaS", "low": "Low", "moderate": "Moderate", "high": "High"},
    ),
    "dod": Scheme("DoD", {"il2": "IL2", "il4": "IL4", "il5": "IL5", "il6": "IL6"}),
    "govramp": Scheme("GovRAMP", {"low": "Low", "moderate": "Moderate", "high": "High"}),
    "bsi-c5": Scheme("BSI C5", {"type1": "Type 1", "type2": "Type 2"}),
    "ens": Scheme("ENS", {"basic": "Basic", "medium": "Medium", "high": "High"}),
    "secnumcloud": Scheme("SecNumCloud", {"qualified": "Qualified"}),
    "irap": Scheme("IRAP", {"official": "Official: Sensitive", "protected": "Protected"}),
    "cyber-essentials": Scheme("Cyber Essentials", {"basic": "Basic", "plus": "Plus"}),
}
LABELS: dict[str, str] = {
    f"{scheme_key}-{level_key}": f"{scheme.name} {level}"
    for scheme_key, scheme in SCHEMES.items()
    for level_key, level in scheme.levels.items()
}
"""Every level that can be filtered by: its value in addresses, and its name."""

VALUES = tuple(LABELS)
