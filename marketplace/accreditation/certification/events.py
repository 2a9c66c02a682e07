"""What other domains may learn of certification beyond accreditation/events.py; wiring.py says who
listens, in the same transaction."""

from collections.abc import Callable

Listener = Callable[[], None]
_on_rules_changed: list[Listener] = []


def on_listing_rules_changed(*listeners: Listener) -> None:
    """Call each when what programs ask of listings has changed."""
    _on_rules_changed[:] = listeners


def listing_rules_changed() -> None:
    """A program was created, edited, opened or closed."""
    for listener in _on_rules_changed:
        listener()
