"""The verbs: writing and answering, meetings, and saying who is there for whom."""
