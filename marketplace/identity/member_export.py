"""The members of an organization as a CSV file."""

import csv
import io
from collections.abc import Iterable

from marketplace.identity.models import Membership
from marketplace.identity.roles import LABELS


def safe_cell(value: str) -> str:
    """A cell that a spreadsheet shows and does not run as a formula."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def members_csv(members: Iterable[Membership]) -> str:
    """One row a member: name, address, role, and the day (UTC) they joined."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Name", "E-mail", "Role", "Member since"])
    for member in members:
        writer.writerow(
            [
                safe_cell(member.user.name),
                safe_cell(member.user.email or ""),
                LABELS[member.role],
                member.created_at.date().isoformat(),
            ]
        )
    return out.getvalue()
