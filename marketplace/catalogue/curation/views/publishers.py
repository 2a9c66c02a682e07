"""Every publisher: verified, suspended, or neither."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.curation.forms import SuspensionForm
from marketplace.catalogue.curation.queries.standing import (
    PUBLISHER_FILTERS,
    find_publisher,
    listing_counts,
    page_of_publishers,
)
from marketplace.catalogue.curation.services import standing as services
from marketplace.catalogue.curation.views.blueprint import asked_text, curation
from marketplace.catalogue.engagement.services.suspension import (
    reinstate_publisher,
    suspend_publisher,
)
from marketplace.catalogue.engagement.views.returning import back_to, show_errors
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization


@curation.get("/publishers")
@needs("standing.read")
def publishers() -> ResponseReturnValue:
    """All partners, with search and filters."""
    shown = request.args.get("show", "all")
    shown = shown if shown in PUBLISHER_FILTERS else "all"
    text = asked_text()
    page = page_of_publishers(text, shown, page_number(request.args.get("page")))
    return render_template(
        "curation/publishers.html",
        page=page,
        q=text,
        shown=shown,
        filters=PUBLISHER_FILTERS,
        counts=listing_counts([found.id for found in page.items]),
    )


@curation.post("/publishers/<slug>/verification")
@needs("publisher.verify", load=find_publisher, name="publisher")
def verify(publisher: Organization) -> ResponseReturnValue:
    """Note that it is who it says it is."""
    if services.verify_publisher(current_actor(), publisher):
        flash(f"{publisher.name} is verified.", "success")
    return back_to(url_for("curation.publishers"))


@curation.post("/publishers/<slug>/verification/withdrawal")
@needs("publisher.verify", load=find_publisher, name="publisher")
def unverify(publisher: Organization) -> ResponseReturnValue:
    """Take the verification back."""
    if services.unverify_publisher(current_actor(), publisher):
        flash(f"{publisher.name} is not verified any more.", "success")
    return back_to(url_for("curation.publishers"))


@curation.get("/publishers/<slug>/suspension")
@needs("publisher.suspend", load=find_publisher, name="publisher")
def publisher_suspension(publisher: Organization) -> ResponseReturnValue:
    """Ask for the reason before it is suspended."""
    return _page(publisher, SuspensionForm())


@curation.post("/publishers/<slug>/suspension")
@needs("publisher.suspend", load=find_publisher, name="publisher")
def suspend_partner(publisher: Organization) -> ResponseReturnValue:
    """Hide it with all its listings."""
    form = SuspensionForm()
    try:
        suspend_publisher(current_actor(), publisher, form.reason.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _page(publisher, form), 422
    flash(f"{publisher.name} is suspended.", "success")
    return redirect(url_for("curation.publishers", show="suspended"), code=303)


@curation.post("/publishers/<slug>/reinstatement")
@needs("publisher.suspend", load=find_publisher, name="publisher")
def reinstate_partner(publisher: Organization) -> ResponseReturnValue:
    """Show it and its listings again."""
    reinstate_publisher(current_actor(), publisher)
    flash(f"{publisher.name} is reinstated.", "success")
    return back_to(url_for("curation.publishers"))


def _page(publisher: Organization, form: SuspensionForm) -> str:
    return render_template(
        "curation/suspension.html",
        name=publisher.name,
        action=url_for("curation.suspend_partner", slug=publisher.slug),
        back=url_for("curation.publishers", q=publisher.name),
        text="Hides its page and all its listings. Its owners, admins and editors are told the "
        "reason.",
        form=form,
        most=2_000,
    )
