"""Whether apps answer: probes, uptime, incidents and who is told of them."""
