"""Access keys of people and of the organization."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import Actor, current_actor, needs
from marketplace.identity import queries as identity
from marketplace.identity.forms import choices_of
from marketplace.installs.developer.forms import (
    ENVIRONMENT_TEXTS,
    ENVIRONMENTS,
    OWNER_TEXTS,
    OWNERS,
    KeyForm,
    show_errors,
)
from marketplace.installs.developer.jobs import TOLD_BEFORE
from marketplace.installs.developer.key_scopes import (
    KEY_MANAGERS,
    offered_scopes,
    usable_scopes,
)
from marketplace.installs.developer.queries import keys as queries
from marketplace.installs.developer.services import keys as services
from marketplace.installs.developer.views.blueprint import active_partner, blueprint, own_key
from marketplace.installs.models import AccessKey, Environment
from marketplace.installs.scopes import PARTNER_SCOPES

PER_PAGE = 25


@blueprint.get("/keys")
@needs("developer.use")
def keys() -> ResponseReturnValue:
    """One's own keys and the organization's; owners and admins see everybody's."""
    return _keys_page()


@blueprint.get("/keys/new")
@needs("key.create")
def key_new() -> ResponseReturnValue:
    """The form of a new key."""
    return _form_page(KeyForm(formdata=None))


@blueprint.post("/keys")
@needs("key.create")
@limiter.limit("60 per hour")
def key_create() -> ResponseReturnValue:
    """Make a key. It is in this answer and nowhere else: no later page can show it."""
    form = KeyForm()
    if form.until.errors or (
        form.until.raw_data and form.until.raw_data[0] and not form.until.data
    ):
        form.until.errors = ["Enter a day."]
        return _form_page(form), 422
    if form.owner.data not in OWNERS or form.environment.data not in ENVIRONMENTS:
        return _form_page(form, ["Choose whose key it is, and its environment."]), 422
    try:
        key, token = services.make_key(
            current_actor(),
            services.KeyWish(
                name=form.name.data or "",
                is_personal=form.owner.data == "personal",
                environment=Environment(form.environment.data),
                scopes=form.scopes.data or [],
                lifetime=form.lifetime.data or "",
                until=form.until.data,
            ),
        )
    except InvalidError as error:
        extra = show_errors(form, error.fields)
        return _form_page(form, extra), 422
    response = make_response(_keys_page(made=key, token=token))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/keys/<int:key_id>/revocation")
@needs("key.revoke", load=own_key, name="key")
def key_revocation(key: AccessKey) -> ResponseReturnValue:
    """The question before a key is revoked."""
    return render_template("developer/key_revocation.html", key=key)


@blueprint.post("/keys/<int:key_id>/revocation")
@needs("key.revoke", load=own_key, name="key")
def key_revoke(key: AccessKey) -> ResponseReturnValue:
    """Revoke it."""
    if services.revoke_key(current_actor(), key):
        flash(f"The key {key.name} is revoked.", "success")
    else:
        flash(f"The key {key.name} was revoked before.", "info")
    return redirect(url_for("developer.keys"), 303)


def _keys_page(made: AccessKey | None = None, token: str = "") -> str:
    actor = current_actor()
    partner = active_partner()
    at = clock.now()
    sees_all = _role(actor) in KEY_MANAGERS
    show_old = request.args.get("show") == "old"
    page = paginate(
        queries.keys_of(partner.id, None if sees_all else actor.user_id, live=not show_old, at=at),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    roles = {member.user_id: member.role.value for member in identity.members_of(partner.id)}
    return render_template(
        "developer/keys.html",
        organization=partner,
        page=page,
        made=made,
        token=token,
        sees_all=sees_all,
        show_old=show_old,
        at=at,
        soon=at + TOLD_BEFORE,
        roles=roles,
        # A key of somebody whose role changed since can do less than it says.
        lost={
            key.id: sorted(set(key.scopes) - usable_scopes(key.scopes, roles.get(key.user_id)))
            for key in page.items
            if key.user_id is not None and key.user_id in roles
        },
        scope_titles={name: text.title for name, text in PARTNER_SCOPES.items()},
        may_revoke={key.id: actor.can("key.revoke", key) for key in page.items},
    )


def _form_page(form: KeyForm, extra: list[str] | None = None) -> str:
    actor = current_actor()
    offered = offered_scopes(_role(actor))
    form.scopes.choices = choices_of((text.name, f"{text.title} ({text.name})") for text in offered)
    may_organization = actor.can("key.create_for_organization")
    if not may_organization:
        form.owner.choices = choices_of([("personal", OWNERS["personal"])])
    return render_template(
        "developer/key_new.html",
        form=form,
        extra=extra or [],
        offered=offered,
        owner_texts=OWNER_TEXTS,
        environment_texts=ENVIRONMENT_TEXTS,
        may_organization=may_organization,
        today=clock.now().date(),
    )


def _role(actor: Actor) -> str | None:
    # As it is now: an owner may have changed it since the session began.
    found = identity.find_membership(actor.organization_id or 0, actor.user_id or 0)
    db.session.flush()
    return found.role.value if found is not None else None
