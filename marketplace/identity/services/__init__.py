"""The verbs of identity, a module per subject. Services flush, the edge commits."""
