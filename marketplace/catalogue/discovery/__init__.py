"""Finding listings: search, facets, suggestions, and the cards that lists are made of."""
