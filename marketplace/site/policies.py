"""Who sees the pages of the site that are not for the public."""

from typing import Any

from flask import current_app

from marketplace.core.permissions import Actor, rule


@rule("site.style_guide")
def may_see_style_guide(actor: Actor, _resource: Any) -> bool:
    """Staff; in the demo everybody."""
    settings = current_app.extensions["portico_settings"]
    return actor.is_staff or settings.portico_env == "demo"
