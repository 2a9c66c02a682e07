"""The portal home by type and tier, and a dashboard whose tiles open their rows."""
