"""Activity reports, frozen when they are made."""
