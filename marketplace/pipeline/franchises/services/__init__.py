"""What is done with territories and royalties."""
