"""Proxies: whose X-Forwarded-For is believed, what of it, and what follows from it."""

import json
import socket

import pytest

from processes import wait_until
from test_http_connections import put_head, read_head
from test_http_resources import A

PROXY, STRANGER = "127.0.0.1", "127.0.0.2"


def seen(api, *forwarded, source=PROXY, **headers):
    """The log line of a request with these X-Forwarded-For fields."""
    lines = ["GET /healthz HTTP/1.1", "Host: x", "Connection: close", *(f"X-Forwarded-For: {value}" for value in forwarded),
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    before = len(requests(api))
    with socket.create_connection((api.host, api.port), timeout=20, source_address=(source, 0)) as s:
        s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while s.recv(65536):
            pass
    wait_until(lambda: len(requests(api)) > before, what="the log")
    return requests(api)[-1]


def requests(api):
    return [json.loads(line) for line in api.server.output if '"http.request"' in line]


@pytest.fixture
def trusting(start):
    return start("--trusted-proxies", f"{PROXY},10.0.0.0/8")


@pytest.mark.parametrize("fields, peer", [
    (("203.0.113.9",), "203.0.113.9"),
    (("198.51.100.1, 203.0.113.9",), "203.0.113.9"),              # the left one is what the client claims
    (("127.0.0.1, 203.0.113.9",), "203.0.113.9"),
    (("203.0.113.9, 10.1.2.3",), "203.0.113.9"),                  # through two proxies
    (("198.51.100.1, 203.0.113.9, 10.1.2.3",), "203.0.113.9"),
    (("198.51.100.1", "203.0.113.9"), "203.0.113.9"),             # a field of the client's own before the proxy's
    (("10.9.9.9", "203.0.113.9"), "203.0.113.9"),
    (("2001:db8::7",), "2001:db8::7"),
    (("[2001:db8::7]:4711",), "2001:db8::7"),
    (("203.0.113.9:4711",), "203.0.113.9"),
    (("nonsense",), PROXY),
    (("203.0.113.9, nonsense",), PROXY),
    (("",), PROXY),
    ((), PROXY),
])
def test_the_client_is_whom_the_nearest_trusted_proxies_vouch_for(trusting, fields, peer):
    line = seen(trusting, *fields)
    assert line["peer"] == peer
    assert line["proxy"] == ("" if peer == PROXY else PROXY)


@pytest.mark.parametrize("fields", [("203.0.113.9",), ("203.0.113.9, 127.0.0.1",), ("127.0.0.1",), ("10.0.0.1",)])
def test_others_are_not_believed(trusting, fields):
    line = seen(trusting, *fields, source=STRANGER, X_Forwarded_Proto="https")
    assert (line["peer"], line["proxy"], line["https"]) == (STRANGER, "", False)


def test_nobody_is_believed_without_being_asked_for(api):
    assert seen(api, "203.0.113.9", X_Forwarded_Proto="https")["peer"] == PROXY
    assert not requests(api)[-1]["https"]


def test_the_protocol_is_what_the_nearest_proxy_says(trusting):
    assert seen(trusting, "203.0.113.9", X_Forwarded_Proto="https")["https"]
    assert not seen(trusting, "203.0.113.9", X_Forwarded_Proto="https, http")["https"]


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": "::1"}, {"Forwarded": "for=127.0.0.1"},
                                     {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "nonsense"}])
@pytest.mark.parametrize("trusted", [PROXY, "none"])
def test_what_came_through_a_proxy_is_never_local(start, trusted, headers):
    server = start("--trusted-proxies", trusted)
    assert server.get(f"/v1/blobs/{A}").status == 404
    assert server.get(f"/v1/blobs/{A}", headers=headers).status == 401


def begin_upload(api, client):
    s = api.socket()
    s.sendall(put_head(api, A, 1000, f"X-Forwarded-For: {client}", "Expect: 100-continue"))
    return s, int(read_head(s).split()[1])


def test_limits_count_the_clients_of_a_proxy_and_not_the_proxy(start):
    api = start("--trusted-proxies", PROXY, "--connections-per-peer-max", "2")
    held = [begin_upload(api, client) for client in ["203.0.113.1"] * 2 + ["203.0.113.2"] * 2]
    assert [status for _, status in held] == [100] * 4
    refused = api.get("/healthz", headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.1"})
    assert refused.status == 503 and refused.headers["Retry-After"]
    assert api.get("/healthz", headers={"X-Forwarded-For": "203.0.113.3"}).status == 200
    held[0][0].close()
    wait_until(lambda: api.get("/healthz", headers={"X-Forwarded-For": "203.0.113.1"}).status == 200, what="room for another request")
    for s, _ in held:
        s.close()


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_list_that_makes_no_sense_is_refused(start, value):
    with pytest.raises(RuntimeError, match="trusted_proxies"):
        start("--trusted-proxies", value)
