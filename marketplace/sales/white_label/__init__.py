"""What a white-label host shows: what the partner offers, and its customers' own pages."""
