"""The catalogue in the search index: what a document holds and how it is kept in step."""
