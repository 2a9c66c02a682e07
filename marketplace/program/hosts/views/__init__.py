"""The views, a file per subject. Importing this package mounts them."""

from marketplace.program.hosts import policies, proving
from marketplace.program.hosts.views import handoff, own, staff
from marketplace.program.hosts.views.blueprints import hosts, hosts_staff

__all__ = ["handoff", "hosts", "hosts_staff", "own", "policies", "proving", "staff"]
