"""Hosts: subdomains of the program, and white-label domains of partners."""
