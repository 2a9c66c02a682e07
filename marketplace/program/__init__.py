"""The partner program: its policy as data, what partners have reached, and how they join."""
