"""Who looks after whom: contacts by region, representatives, sponsors, partner managers."""
