"""How a client shows who it is."""

import base64

import pytest
from authlib.oauth2 import OAuth2Error

from marketplace.installs.oauth.clients import BASIC, NONE, POST, Credentials, read_credentials


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "form", "expected"),
    [
        (basic("pcl_1:pcs_a"), {}, Credentials("pcl_1", "pcs_a", BASIC)),
        (basic("pcl_1:pcs_a").replace("Basic", "BASIC"), {}, Credentials("pcl_1", "pcs_a", BASIC)),
        (basic("pcl%5F1:pcs%5Fa%2Db"), {}, Credentials("pcl_1", "pcs_a-b", BASIC)),
        (basic("a+b:c%3Ad+e"), {}, Credentials("a b", "c:d e", BASIC)),
        (basic("pcl_1:a:b"), {}, Credentials("pcl_1", "a:b", BASIC)),
        (basic("pcl_1:"), {}, Credentials("pcl_1", "", BASIC)),
        (basic("pcl_1:s"), {"client_id": "pcl_1"}, Credentials("pcl_1", "s", BASIC)),
        (None, {"client_id": "pcl_1", "client_secret": "s"}, Credentials("pcl_1", "s", POST)),
        (None, {"client_id": "pcl_1", "client_secret": ""}, Credentials("pcl_1", "", POST)),
        (None, {"client_id": "pcl_1"}, Credentials("pcl_1", None, NONE)),
    ],
)
def test_one_way_is_understood(
    authorization: str | None, form: dict[str, str], expected: Credentials
) -> None:
    assert read_credentials(authorization, form) == expected


@pytest.mark.parametrize(
    ("authorization", "form", "error"),
    [
        (None, {}, "invalid_client"),
        (None, {"client_id": ""}, "invalid_client"),
        (None, {"client_secret": "s"}, "invalid_client"),
        ("Bearer pat_x", {}, "invalid_client"),
        ("Bearer pat_x", {"client_id": "pcl_1", "client_secret": "s"}, "invalid_client"),
        ("Basic", {}, "invalid_client"),
        ("Basic !!!", {}, "invalid_client"),
        ("Basic eA==", {}, "invalid_client"),
        (basic(":s"), {}, "invalid_client"),
        (basic("ä:s"), {}, "invalid_client"),
        (basic("a:s"), {"client_secret": "s"}, "invalid_request"),
        (basic("a:s"), {"client_id": "b"}, "invalid_request"),
        (basic("a:s"), {"client_id": "a", "client_secret": "s"}, "invalid_request"),
    ],
)
def test_anything_else_is_refused(
    authorization: str | None, form: dict[str, str], error: str
) -> None:
    with pytest.raises(OAuth2Error) as raised:
        read_credentials(authorization, form)
    assert raised.value.error == error
