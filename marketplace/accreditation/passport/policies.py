"""Who may export passports, and who decides about those of others."""

from typing import Any

from marketplace.accreditation.acting import MANAGERS, acts_for_partner
from marketplace.accreditation.passport.models import PassportExport
from marketplace.core.permissions import Actor, rule


@rule("passport.use")
def may_use_passport(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return acts_for_partner(actor, MANAGERS)


@rule("passport.own")
def may_download(actor: Actor, export: Any) -> bool:
    """The same, of the organization whose passport it is."""
    return (
        acts_for_partner(actor, MANAGERS)
        and isinstance(export, PassportExport)
        and export.organization_id == actor.organization_id
    )


@rule("passports.import")
def may_import(actor: Actor, _resource: object = None) -> bool:
    """The program's staff."""
    return actor.is_staff_as("program_manager")
