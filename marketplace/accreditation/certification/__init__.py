"""Certification by versioned checklists of evidence, with expiry."""
