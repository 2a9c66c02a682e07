"""`python -m examples.sample_app --host 127.0.0.1 --port 8002`: run the app until Ctrl-C."""

import argparse
import os

from examples.sample_app.app import create_app
from examples.sample_app.settings import read_settings


def main() -> None:
    """Serve the app with Flask's own server: enough for one developer, not for production."""
    parser = argparse.ArgumentParser(prog="python -m examples.sample_app")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8002")))
    options = parser.parse_args()
    app = create_app(read_settings(os.environ, host=options.host, port=options.port))
    app.run(options.host, options.port, threaded=True, debug=False)


if __name__ == "__main__":
    main()
