"""The addresses of the platform API, a file per subject: a query or a service, a rendering."""
