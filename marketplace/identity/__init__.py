"""People and organizations: sign-in, users, memberships, roles, sessions, invitations."""
