"""Files behind one interface: a local folder by default, an S3-compatible bucket by setting."""

from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from marketplace.core.errors import UnavailableError

TIMEOUT = "10s"


class Storage:
    """Reads and writes small files (images) by key. Keys are made by us, never by a person."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write the file whole. Raises UnavailableError when the store does not answer."""
        attributes = {"Content-Type": content_type} if isinstance(self._store, S3Store) else None
        try:
            obstore.put(self._store, key, data, attributes=attributes)
        except (BaseError, OSError) as error:
            raise UnavailableError("The file store does not answer.") from error

    def get(self, key: str) -> bytes | None:
        """The file's bytes, or None. Raises UnavailableError when the store does not answer."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise UnavailableError("The file store does not answer.") from error

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        try:
            obstore.delete(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise UnavailableError("The file store does not answer.") from error


def open_storage(
    data_dir: Path,
    *,
    storage_url: str | None = None,
    endpoint: str | None = None,
    region: str | None = None,
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
    retries: int = 3,
) -> Storage:
    """The storage of `storage_url` (`s3://bucket/prefix`), or the folder `media` in `data_dir`."""
    if storage_url is None:
        folder = data_dir / "media"
        folder.mkdir(parents=True, exist_ok=True)
        return Storage(LocalStore(folder, automatic_cleanup=True, mkdir=True))
    parts = urlsplit(storage_url)
    return Storage(
        S3Store(
            bucket=parts.netloc,
            prefix=parts.path.strip("/") or None,
            endpoint=endpoint,
            region=region or "us-east-1",
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            virtual_hosted_style_request=False,
            retry_config={"max_retries": retries},
            client_options={
                "timeout": TIMEOUT,
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
            },
        )
    )
