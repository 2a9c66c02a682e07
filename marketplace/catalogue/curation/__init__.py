"""What staff arrange: collections, categories, synonyms, the search log, and who is certified."""
