"""From nothing to a working installation: the steps, with the partner's own ids."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.core.pagination import paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.developer.queries import apps as queries
from marketplace.installs.developer.quick_start_steps import (
    CALLBACK,
    STEPS,
    WEBHOOKS,
    settings_command,
)
from marketplace.installs.developer.services.sandbox import find_sandbox
from marketplace.installs.developer.views.blueprint import active_partner, blueprint
from marketplace.installs.models import Environment

MOST_APPS = 100


@blueprint.get("/developers")
@needs("developer.use")
def quick_start() -> ResponseReturnValue:
    """The steps for one app of the partner; `?app=` chooses it."""
    partner = active_partner()
    apps = list(paginate(queries.own_apps(partner.id), page=1, per_page=MOST_APPS).items)
    wanted = request.args.get("app", "")
    app = next((row for row in apps if row.public_id == wanted), apps[0] if apps else None)
    client = (
        next((row for row in app.clients if row.environment is Environment.TEST), None)
        if app is not None
        else None
    )
    return render_template(
        "developer/quick_start.html",
        apps=apps,
        app=app,
        client=client,
        sandbox=find_sandbox(partner.id),
        callback=CALLBACK,
        webhooks=WEBHOOKS,
        settings_command=settings_command(
            current_app.config["PUBLIC_URL"],
            client.client_id if client is not None else "paste the client ID of the test client",
        ),
        steps=STEPS,
        may_manage=current_actor().can("sandbox.manage"),
    )
