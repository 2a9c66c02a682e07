"""Rate limits: in Redis when there is one, else in the process."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

# Views add their own limits with @limiter.limit("20 per minute").
limiter = Limiter(get_remote_address, default_limits=[], strategy="moving-window")
