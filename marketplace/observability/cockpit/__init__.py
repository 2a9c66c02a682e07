"""The program manager's cockpit."""
