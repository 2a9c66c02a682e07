"""The public site: home page, errors, security headers, feeds and sitemap."""
