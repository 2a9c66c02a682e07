"""The views, a file per subject. Importing this package mounts them."""

from marketplace.program.contacts import jobs, policies
from marketplace.program.contacts.views import assignments, find, inbox, managers, partner
from marketplace.program.contacts.views.blueprints import contacts, contacts_staff

__all__ = [
    "assignments",
    "contacts",
    "contacts_staff",
    "find",
    "inbox",
    "jobs",
    "managers",
    "partner",
    "policies",
]
