"""What partner and platform gave and received, on one statement."""
