"""gunicorn in production: `make serve`, or `gunicorn -c gunicorn.conf.py wsgi:app`."""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 30
graceful_timeout = 15
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
# Bounds what a hostile client can make a worker read before Flask sees the request.
limit_request_line = int(os.environ.get("WEB_LIMIT_REQUEST_LINE", "8190"))
limit_request_fields = 100
control_socket_disable = True
