"""Which tiles a person sees."""

from marketplace.core.permissions import Actor
from marketplace.observability.access import sees_money
from marketplace.observability.dashboard.tiles import TILES, Tile
from marketplace.program.module_gate import may_use_module


def tiles_for(actor: Actor) -> list[Tile]:
    """The tiles of the parts that the partner has; those of money for whoever deals with it."""
    return [
        tile
        for tile in TILES
        if may_use_module(actor, tile.module) and (not tile.is_money or sees_money(actor))
    ]
