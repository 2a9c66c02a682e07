"""Staff pages: what does not agree, the bank's files, and the months."""
