"""Joining: sign-up, tasks of the playbook, getting started."""
