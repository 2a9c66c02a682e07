"""Who learns that a payout moved: its partner's people, by mail; wiring.py says who tells them."""

from collections.abc import Callable

from billing.models import Payout

Listener = Callable[[Payout], None]
_moved: list[Listener] = []


def on_payout_moved(*listeners: Listener) -> None:
    """Call these, in the transaction that moved it, for each payout that was transferred, paid,
    returned, rejected, canceled or taken back; `payout.state` says which."""
    _moved[:] = listeners


def tell_moved(payout: Payout) -> None:
    """Tell them."""
    for listener in _moved:
        listener(payout)
