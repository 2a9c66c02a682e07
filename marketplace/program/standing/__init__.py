"""Where partners stand: the tier that each has, what it was evaluated by, and how it moved."""
