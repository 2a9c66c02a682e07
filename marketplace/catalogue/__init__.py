"""Listings, their revisions and versions, categories, reviews, collections, search document."""
