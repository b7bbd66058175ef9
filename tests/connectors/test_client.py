"""Which hosts and addresses a call reaches, and how it ends, on real sockets."""

from __future__ import annotations

import ssl
import subprocess
import time
from ipaddress import ip_address
from pathlib import Path

import pytest

from api.connectors.client import HttpClient, Request, resolve
from engine.domain.connector import ConnectorFailed
from engine.domain.hosts import Address, AllowedHosts, is_public, read_target
from tests.support.web import Reply, web_server


def client(allowed: str, **names: list[str]) -> HttpClient:
    """A client in a world where the names of `names` (``_`` for ``.``) are at these addresses."""
    world = {name.replace("_", "."): addresses for name, addresses in names.items()}

    def look_up(host: str, port: int) -> list[Address]:
        if host in world:
            return [ip_address(each) for each in world[host]]
        return resolve(host, port)

    return HttpClient(AllowedHosts(allowed), look_up)


def failure(made: HttpClient, url: str, **more: object) -> ConnectorFailed:
    with pytest.raises(ConnectorFailed) as failed:
        made.send(Request("GET", url, **more))  # type: ignore[arg-type]
    return failed.value


@pytest.mark.parametrize(
    ("allowed", "url", "reached"),
    [
        ("api.example.org", "https://api.example.org/x", True),
        ("api.example.org", "https://API.EXAMPLE.ORG.:443/", True),
        ("api.example.org", "https://api.example.org:8443/", False),
        ("api.example.org:8443", "https://api.example.org:8443/", True),
        ("api.example.org:8443", "https://api.example.org/", False),
        ("api.example.org", "http://api.example.org/", True),
        ("api.example.org", "https://api.example.org.evil.test/", False),
        ("*.example.org", "https://a.b.example.org/", True),
        ("*.example.org", "https://example.org/", False),
        ("*.example.org", "https://evilexample.org/", False),
        ("市.example", "https://xn--ul2b.example/", False),
        ("例子.example", "https://例子.example/", True),
        ("127.0.0.1:80", "http://2130706433/", False),
        ("[::1]:8080", "http://[0:0::1]:8080/", True),
        ("", "https://api.example.org/", False),
    ],
)
def test_the_list_names_hosts_exactly(allowed: str, url: str, reached: bool) -> None:
    assert (AllowedHosts(allowed).entry(read_target(url)) is not None) is reached


@pytest.mark.parametrize(
    "url",
    ["ftp://a.test/", "//a.test", "https://", "https://me:pw@a.test/", "https://a.test\\@b.test/",
     "https://a.test/\r\nHost: b", "https://a .test/", "https://a.test:99999/", "https://-a.test/",
     "https://[fe80::1%25eth0]/"],
)  # fmt: skip
def test_an_unclear_address_is_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_target(url)


@pytest.mark.parametrize("text", ["*", "a.test/x", "me@a.test", "a.test:port", "*.*.test"])
def test_an_unclear_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="use host"):
        AllowedHosts(text)


INSIDE = [
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::7f00:1",
    "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::a00:1", "64:ff9b:1::1",
    "2001:0:1::1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_pattern_reaches_an_address_inside(address: str) -> None:
    assert not is_public(ip_address(address))
    failed = failure(client("*.example.org:9", a_example_org=[address]), "http://a.example.org:9/")
    assert failed.kinds == ("host_refused",)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0"])
def test_even_a_named_host_is_never_at_the_metadata_address(address: str) -> None:
    failed = failure(client("crm.test", crm_test=[address]), "http://crm.test/")
    assert failed.kinds == ("host_refused",)


def test_a_named_host_may_be_inside() -> None:
    with web_server(Reply(body=b"here")) as server:
        made = client(f"crm.test:{server.port}", crm_test=["127.0.0.1"])
        assert made.send(Request("GET", f"http://crm.test:{server.port}/")).body == b"here"
        assert server.asked[0].headers["host"] == f"crm.test:{server.port}"


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_called() -> None:
    asked: list[str] = []

    def changing(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) == 1 else "169.254.169.254")]

    with web_server(Reply(body=b"the first")) as server:
        made = HttpClient(AllowedHosts(f"crm.test:{server.port}"), changing)
        assert made.send(Request("GET", f"http://crm.test:{server.port}/")).body == b"the first"
    assert asked == ["crm.test"]


def test_of_several_addresses_only_allowed_ones_are_tried() -> None:
    with web_server(Reply(body=b"here")) as server:
        addresses = ["169.254.169.254", "127.0.0.9", "127.0.0.1"]
        made = client(f"crm.test:{server.port}", crm_test=addresses)
        assert made.send(Request("GET", f"http://crm.test:{server.port}/")).body == b"here"


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{other}/secret", "http://169.254.169.254/latest/meta-data/",
     "http://inside.test:{other}/", "//127.0.0.1:{other}/secret"],
)  # fmt: skip
def test_a_redirect_to_elsewhere_passes_the_same_check(location: str) -> None:
    with web_server(Reply(body=b"secret")) as other, web_server(Reply()) as server:
        server.replies[:] = [
            Reply(status=302, headers={"Location": location.format(other=other.port)})
        ]
        made = client(
            f"crm.test:{server.port} *.test:{other.port}",
            crm_test=["127.0.0.1"],
            inside_test=["127.0.0.1"],
        )
        failed = failure(made, f"http://crm.test:{server.port}/")
        assert failed.kinds == ("host_refused",)
        assert not failed.again
        assert other.asked == []


def test_a_redirect_takes_no_secrets_elsewhere() -> None:
    with web_server(Reply(body=b"end")) as other:
        there = f"http://127.0.0.1:{other.port}/next?x=1"
        with web_server(Reply(status=307, headers={"Location": there})) as server:
            made = client(f"127.0.0.1:{server.port} 127.0.0.1:{other.port}")
            headers = [("Authorization", "Bearer x"), ("X-Key", "y"), ("Accept", "text/plain")]
            answer = made.send(Request("GET", f"{server.url}/", headers=headers))
            kept = made.send(Request("POST", f"{server.url}/", headers=headers, body=b"private"))
    assert answer.body == b"end"
    assert (other.asked[0].path, other.asked[0].headers["accept"]) == ("/next?x=1", "text/plain")
    assert not {"authorization", "x-key"} & set(other.asked[0].headers)
    # A body is not handed on to another host: the redirect is the answer.
    assert (kept.status, len(other.asked)) == (307, 1)


def test_redirects_end() -> None:
    with web_server(Reply(status=302, headers={"Location": "/again"})) as server:
        made = client(f"127.0.0.1:{server.port}")
        assert made.send(Request("GET", server.url, redirects=3)).status == 302
        assert len(server.asked) == 4
        assert made.send(Request("POST", server.url, body=b"x", redirects=1)).status == 302
    assert [(each.method, each.body) for each in server.asked[4:]] == [("POST", b"x"), ("GET", b"")]


def test_a_wanted_redirect_is_not_followed() -> None:
    with web_server(Reply(status=303, headers={"Location": "/made/7"})) as server:
        made = client(f"127.0.0.1:{server.port}")
        answer = made.send(Request("POST", server.url, ends_with=frozenset({303})))
    assert (answer.status, answer.headers["location"], len(server.asked)) == (303, "/made/7", 1)


@pytest.mark.parametrize(
    "reply",
    [Reply(body=b"x" * 2_000), Reply(pieces=[b"x" * 500] * 1_000)],
    ids=["told before", "in pieces"],
)
def test_too_large_an_answer_is_dropped(reply: Reply) -> None:
    with web_server(reply) as server:
        failed = failure(client(f"127.0.0.1:{server.port}"), server.url, most=1_000)
    assert (failed.kinds, failed.again) == (("too_large",), False)


@pytest.mark.parametrize(
    "reply", [Reply(pause=30.0), Reply(pieces=[b"x"] * 100, pause=0.2)], ids=["silent", "trickling"]
)
def test_a_call_ends_in_time(reply: Reply) -> None:
    with web_server(reply) as server:
        began = time.monotonic()
        failed = failure(client(f"127.0.0.1:{server.port}"), server.url, seconds=0.5)
        assert time.monotonic() - began < 5
    assert (failed.kinds, failed.again, failed.done) == (("timeout",), True, True)


def test_a_resolver_that_hangs_does_not_hold_up_the_call() -> None:
    def hanging(host: str, port: int) -> list[Address]:
        time.sleep(3)
        return []

    began = time.monotonic()
    failed = failure(HttpClient(AllowedHosts("a.test"), hanging), "http://a.test/", seconds=0.2)
    assert time.monotonic() - began < 2
    assert (failed.kinds, failed.again, failed.done) == (("unreachable",), True, False)


def test_nobody_there_is_told_apart_from_no_answer() -> None:
    with web_server() as server:
        pass
    failed = failure(client(f"127.0.0.1:{server.port}"), server.url)
    assert (failed.kinds, failed.again, failed.done) == (("unreachable",), True, False)


def test_over_tls_the_name_is_checked_though_the_address_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=crm.test", "-addext", "subjectAltName=DNS:crm.test", "-keyout", key, "-out",
         certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with web_server(Reply(body=b"secure"), tls=context) as server:
        names = {"crm_test": ["127.0.0.1"], "other_test": ["127.0.0.1"]}
        made = client(f"crm.test:{server.port} other.test:{server.port}", **names)
        answer = made.send(Request("GET", f"https://crm.test:{server.port}/"))
        failed = failure(made, f"https://other.test:{server.port}/")
    assert answer.body == b"secure"
    assert failed.kinds == ("unreachable",)
    assert "certificate" in str(failed).lower()
