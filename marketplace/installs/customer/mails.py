"""The mails about installing. Each queues one message to one person."""

from collections.abc import Sequence

from marketplace.catalogue.models import Listing
from marketplace.core.mail import send_mail
from marketplace.identity.models import Organization
from marketplace.installs.customer import links
from marketplace.installs.customer.queries.people import address_of_member
from marketplace.installs.models import ErasureRequest, Installation, InstallRequest


def name_of(installation: Installation) -> str:
    """What people call the installed thing: its listing's name, else its app's."""
    return installation.listing.name if installation.listing else installation.app.name


def tell_installed_by_member(address: str, who: str, installation: Installation) -> None:
    """An admin learns that a member installed something."""
    name, organization = name_of(installation), installation.organization.name
    send_mail(
        address,
        f"{who} installed {name} for {organization}",
        f"{who} installed {name} for {organization}.\n\n"
        "What it may do, and how to pause or remove it:\n"
        f"{links.installation_url(installation)}\n\n"
        "You get this because you are an owner or admin. Whether members may install by "
        f"themselves is set at\n"
        f"{links.absolute(f'/organizations/{installation.organization.slug}/apps/policy')}\n",
    )


def tell_cap_reached(address: str, listing: Listing) -> None:
    """A publisher learns that its listing takes no more installations."""
    send_mail(
        address,
        f"{listing.name}: no more installations until it is certified",
        f"As many organizations have installed {listing.name} as we allow before a listing is "
        "certified. Who has it is not affected; the next one is refused.\n\n"
        "Ask us for certification to lift the limit.\n\n"
        f"{links.listing_url(listing.slug)}\n",
    )


def tell_requested(
    address: str,
    who: str,
    request: InstallRequest,
    org: Organization,
    adds: Sequence[str] | None = None,
) -> None:
    """An admin learns that a member asks for something: an update that adds `adds` (in words)
    where it is installed."""
    said = f"{who} writes:\n\n{request.message}\n\n" if request.message else ""
    if adds is not None:
        listed = "\n".join(f"- {title}" for title in adds)
        send_mail(
            address,
            f"{who} asks for the update of {request.listing.name}",
            f"{who} asks you to agree to the update of {request.listing.name}, which "
            f"{org.name} has installed. New:\n\n{listed}\n\n"
            f"{said}Read it, and agree or decline:\n{links.requests_url(org.slug)}\n",
        )
        return
    send_mail(
        address,
        f"{who} asks you to install {request.listing.name}",
        f"{who} asks you to install {request.listing.name} for {org.name}.\n\n"
        f"{said}See what it asks for, and install it or decline:\n"
        f"{links.requests_url(org.slug)}\n",
    )


def tell_request_approved(
    request: InstallRequest, installation: Installation, *, is_update: bool = False
) -> None:
    """A member learns that what they asked for is here."""
    address = address_of_member(request.requested_by_id, request.organization_id)
    if address is None:
        return
    name, organization = name_of(installation), installation.organization.name
    if is_update:
        subject = f"{name} is updated"
        said = f"You asked for the update of {name}. {organization} has agreed to it now."
    else:
        subject = f"{name} is installed"
        said = f"You asked for {name}. It is installed for {organization} now."
    send_mail(address, subject, f"{said}\n\n{links.installation_url(installation)}\n")


def tell_request_declined(request: InstallRequest, organization: Organization) -> None:
    """A member learns that what they asked for does not come."""
    address = address_of_member(request.requested_by_id, request.organization_id)
    if address is None:
        return
    note = f"They write:\n\n{request.decision_note}\n\n" if request.decision_note else ""
    send_mail(
        address,
        f"Your request for {request.listing.name} was declined",
        f"The admins of {organization.name} declined your request for {request.listing.name}.\n\n"
        f"{note}{links.listing_url(request.listing.slug)}\n",
    )


def tell_update_available(
    address: str, installation: Installation, scopes: Sequence[str], data: Sequence[str]
) -> None:
    """An admin learns that an installed app asks for more. `scopes` are titles, `data` the names
    of what moves anew."""
    name, organization = name_of(installation), installation.organization
    listed = "\n".join(
        [*(f"- {title}" for title in scopes), *(f"- Data that moves: {part}" for part in data)]
    )
    slug = installation.listing.slug if installation.listing else ""
    send_mail(
        address,
        f"{name} asks for more access" if scopes else f"{name} moves more data",
        f"A new version of {name} asks {organization.name} for more than you agreed to:\n\n"
        f"{listed}\n\n"
        "It goes on with what it has until you decide. Read it and agree or decline:\n"
        f"{links.install_page(slug, organization.slug)}\n",
    )


def tell_erasure_due(address: str, erasure: ErasureRequest, *, again: bool = False) -> None:
    """A publisher is reminded to erase a former customer's data."""
    installation = erasure.installation
    due = erasure.due_at.date().isoformat()
    opening = (
        f"{installation.organization.name} asks again: please erase its data."
        if again
        else f"Please erase the data of {installation.organization.name} by {due} (UTC)."
    )
    send_mail(
        address,
        f"Erase the data of {installation.organization.name} by {due}",
        f"{opening}\n\n"
        f"It removed {name_of(installation)} ({installation.public_id}). Confirm the erasure with "
        f"a receipt, by the API or here:\n{links.partner_erasure_url(erasure.public_id)}\n",
    )


def tell_erasure_overdue(address: str, erasure: ErasureRequest, *, is_staff: bool) -> None:
    """A publisher, and our staff, learn that an erasure was not confirmed in time."""
    installation, due = erasure.installation, erasure.due_at.date().isoformat()
    where = (
        links.absolute("/staff/erasures")
        if is_staff
        else links.partner_erasure_url(erasure.public_id)
    )
    send_mail(
        address,
        f"Overdue: erasure of {installation.organization.name}'s data ({name_of(installation)})",
        f"The data of {installation.organization.name} was to be erased by {due} (UTC) after it "
        f"removed {name_of(installation)} ({installation.public_id}). Nobody has confirmed it.\n\n"
        f"{where}\n",
    )


def tell_erasure_done(address: str, erasure: ErasureRequest) -> None:
    """A former customer learns that its data were erased, with the publisher's words."""
    installation = erasure.installation
    send_mail(
        address,
        f"{installation.app.publisher.name} confirms that your data are erased",
        f"After {installation.organization.name} removed {name_of(installation)}, "
        f"{installation.app.publisher.name} confirms:\n\n{erasure.receipt}\n\n"
        f"The record: {links.installation_url(installation)}\n",
    )
