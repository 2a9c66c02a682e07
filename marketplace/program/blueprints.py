"""All blueprints of this room, for wiring.py."""

from flask import Blueprint

from marketplace.program.applications.views import applications, applications_staff
from marketplace.program.benefits.views import benefits, benefits_staff
from marketplace.program.contacts.views import contacts, contacts_staff
from marketplace.program.hosts.views import hosts, hosts_staff
from marketplace.program.onboarding.views import joining, onboarding, onboarding_staff
from marketplace.program.policy.views import policy_staff, program
from marketplace.program.scorecards.views import scorecards, standings
from marketplace.program.vouchers.views import vouchers, vouchers_staff

BLUEPRINTS: tuple[Blueprint, ...] = (
    program,
    policy_staff,
    benefits,
    benefits_staff,
    hosts,
    hosts_staff,
    scorecards,
    standings,
    joining,
    onboarding,
    onboarding_staff,
    contacts,
    contacts_staff,
    applications,
    applications_staff,
    vouchers,
    vouchers_staff,
)
