"""The pipeline: leads, deals, ideas and campaigns."""
