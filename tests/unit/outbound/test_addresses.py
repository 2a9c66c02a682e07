"""Which typed addresses are refused, as tables."""

import ipaddress
from collections.abc import Iterator

import pytest

from marketplace.core.outbound import OutboundRefusedError, check_url, configure_outbound
from marketplace.core.public_addresses import is_public, normal_host
from tests.conftest import OUTBOUND_NETWORKS


@pytest.fixture(autouse=True)
def no_network_is_let_through() -> Iterator[None]:
    configure_outbound()
    yield
    configure_outbound([OUTBOUND_NETWORKS])


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/portico",
        "https://hooks.example.com",
        "https://hooks.example.com:8443/a/b?c=d&e=f",
        "HTTPS://HOOKS.EXAMPLE.COM/",
        "https://hooks.example.com./",
        "https://bücher.example/ü?q=ü",
        "https://93.184.216.34/hook",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/hook",
        "https://1e100.net/",
        "https://a-b.c-d.example/",
    ],
)
def test_addresses_on_the_public_internet_are_fine(url: str) -> None:
    check_url(url, https_only=True)


PRIVATE = [
    # plain
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - refused, not bound
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    # the same in other notations: decimal, octal, hexadecimal, short forms, a last dot
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "0x",
    "127.0.0.1.",
    "00127.0.0.1",
    "127.0.0.01",
    "3232235777",
    "10.1",
    "1.1.1.1.1",
    "256.1.1.1",
    "１０.０.０.１",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "１２７.０.０.１",
    # IPv6: loopback, unspecified, private, link-local, multicast, documentation
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[2606:2800:220:1:248:1893:25c8:1946%25eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    # IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:93.184.216.34]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001:20::1]",
    # names that are no names of the internet
    "localhost",
    "LOCALHOST",
    "localhost.",
    "hooks.localhost",
    "printer.local",
    "metadata.google.internal",
    "router.lan",
    "x.home.arpa",
    "ip6-localhost",
    "intranet",
    "hooks",
    "db",
    "hooks_example",
    "-a.example",
    "a..example",
    "exa%6dple.com",
    f"{'a' * 64}.example",
    f"{'a.' * 130}example",
]


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize("port", ["", ":443", ":8080"])
def test_hosts_that_are_not_public_are_refused_in_any_notation(host: str, port: str) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(OutboundRefusedError):
            check_url(f"{scheme}://{host}{port}/hook", https_only=False)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.example.com/", "https://"),
        ("ftp://hooks.example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("gopher://hooks.example.com/", "https://"),
        ("javascript:alert(1)", "https://"),
        ("hooks.example.com", "https://"),
        ("//hooks.example.com/", "https://"),
        ("https:hooks.example.com/", "https://"),
        ("https:/hooks.example.com/", "https://"),
        ("https:///hook", "no host"),
        ("https://", "no host"),
        ("https://ada@hooks.example.com/", "user name"),
        ("https://ada:secret@hooks.example.com/", "user name"),
        ("https://hooks.example.com@127.0.0.1/", "user name"),
        ("https://@hooks.example.com/", "user name"),
        ("https://hooks.example.com/#part", "fragment"),
        ("https://hooks.example.com/#", "fragment"),
        ("https://hooks.example.com:0/", "port"),
        ("https://hooks.example.com:/", "port"),
        ("https://hooks.example.com:65536/", "not a valid"),
        ("https://hooks.example.com:-1/", "not a valid"),
        ("https://hooks.example.com:http/", "not a valid"),
        ("https://[::1/", "not a valid"),
        ("https://[hooks.example.com]/", "not"),
        ("https://[1.2.3.4]/", "not"),
        ("https://hooks.example.com/a b", "characters"),
        (" https://hooks.example.com/", "characters"),
        ("https://hooks.example.com\n.evil.example/", "characters"),
        ("https://hooks.example.com\r\nX-Injected: 1/", "characters"),
        ("https://hooks.example.com\t/", "characters"),
        ("https://hooks.example.com\0/", "characters"),
        ("https://hooks.example.com\\@127.0.0.1/", "characters"),
        ("https:\\\\hooks.example.com/", "characters"),
        ("https://hooks.example.com/" + "a" * 2_000, "longer"),
        ("https://xn--/", "not valid"),
        ("https://\u00ad.example/", "not valid"),
        ("", "https://"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_in_plain_words(url: str, says: str) -> None:
    with pytest.raises(OutboundRefusedError) as refused:
        check_url(url, https_only=True)
    assert says in refused.value.detail


def test_http_is_let_through_where_it_is_not_forbidden() -> None:
    check_url("http://hooks.example.com/", https_only=False)


def test_an_allowed_network_lets_its_own_addresses_through_and_no_others() -> None:
    configure_outbound(["127.0.0.0/8", "fd00:1::/64"])
    check_url("http://127.0.0.1:5000/hook", https_only=True)
    check_url("http://[fd00:1::7]/hook", https_only=True)
    for url in (
        "http://10.0.0.1/",
        "http://[fd00:2::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://localhost/",
        "http://hooks.example.com/",
    ):
        with pytest.raises(OutboundRefusedError):
            check_url(url, https_only=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("172.32.0.1", True),
        ("100.128.0.1", True),
        ("169.255.0.1", True),
        ("2a00:1450:4001:82a::200e", True),
        ("fe80::1%eth0", False),
        ("4000::1", False),
        ("1fff::1", False),
        ("2001:1ff::1", False),
        ("2001:200::1", True),
    ],
)
def test_the_edges_of_the_reserved_blocks_are_where_they_are_registered(
    address: str, public: bool
) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def test_a_host_is_looked_up_as_it_was_checked() -> None:
    assert normal_host("BÜCHER.Example.") == "xn--bcher-kva.example"
    assert normal_host("93.184.216.34.") == "93.184.216.34"
    assert normal_host("2606:2800:0220::1") == "2606:2800:220::1"
