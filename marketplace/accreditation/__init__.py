"""Accreditation: verification, certification, courses, credentials."""
