"""The demo: its catalogue, its people and the command that serves it."""
