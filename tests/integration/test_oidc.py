"""Web tokens of a CI system against a real server and an issuer that runs here. What is in a token is tried byte by byte in
tests/unit/server/auth/test_oidc.c; this is the way there and back."""

import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import threading
import time

import pytest

from conftest import admin, bin_dir
from test_http_errors import refused
from test_http_isolation import BASE, MID, Actor, artefact

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from oidc import Issuer, Key, b64  # noqa: E402
from processes import wait_until  # noqa: E402

RULES = """
[[oidc.rules]]
match = { repository = "acme/app", ref = "refs/heads/main" }
can = "read,write"
lanes = "main"

[[oidc.rules]]
match = { repository = "acme/app", ref = "refs/pull/{pr}/merge" }
can = "read,write"
lanes = "pr/{pr}"
lane_parent = "main"
"""


@pytest.fixture
def issuer():
    made = Issuer(Key("r1"), Key("e1", "ES256"))
    yield made
    made.close()


def configure(tmp_path, issuer, more="", rules=RULES):
    path = tmp_path / "jicached.toml"
    path.write_text(f"""require_token = true

[[oidc]]
name = "ci"
issuer = "{issuer.url}"
audience = "jicache"
algorithms = ["RS256", "ES256"]
loopback_http = true
{more}
{rules}""")
    return path


@pytest.fixture
def serve(tmp_path, start, issuer):
    def begin(more="", wait=True, flags=()):
        api = start("--config", str(configure(tmp_path, issuer, more)), *flags)
        if wait:
            wait_until(lambda: any("oidc.keys" in line for line in api.server.output), what="the issuer's keys")
        return api
    return begin


class Job(Actor):
    """A job of the CI system: an Actor whose token is a web token."""

    def __init__(self, api, token):
        self.api, self.server, self.token = api, api.server, token


def test_main_and_pull_requests_get_their_lanes(serve, issuer):
    api = serve()
    main = Job(api, issuer.token())
    request = Job(api, issuer.token("refs/pull/17/merge", key=issuer.keys[1]))
    base, _, _ = artefact(main, *BASE)
    assert main.publish(base, lane="main").status == 200
    assert request.keys(base["key"], lane="pr/17") == {base["key"]: "main"}, "the lane is made by its first use"
    mid, _, _ = artefact(request, *MID, deps=[base["key"]])
    refused(request.publish(mid, lane="main"), 403, "forbidden")
    refused(request.publish(mid, lane="pr/18"), 403, "forbidden")
    assert request.publish(mid, lane="pr/17").status == 200
    assert main.keys(mid["key"], lane="main") == {}
    assert request.get("/v1/info").json["lanes"] == ["pr/17"]
    lines = "".join(api.server.output)
    assert "ci:repo:acme/app:ref:refs/pull/17/merge" in lines
    assert issuer.keys[0].kid not in lines and main.token.split(".")[2] not in lines, "nothing of a token is logged"


def test_tokens_of_strangers_are_refused_with_a_reason(serve, issuer):
    api = serve()
    stranger = Key("r1")
    now = int(time.time())
    for token, why in [
        (issuer.token(repository="evil/app"), "no rule"),
        (issuer.token("refs/heads/other"), "no rule"),
        (issuer.token("refs/pull/1,main/merge"), "no rule"),
        (issuer.token(audience="https://other.example"), "another audience"),
        (issuer.token(exp=now - 100), "has expired"),
        (issuer.token(nbf=now + 100), "not valid yet"),
        (issuer.token(iss="https://evil.example"), "is not known here"),
        (stranger.token(issuer.claims()), "signature is wrong"),
        (issuer.token()[:-4] + "AAAA", "signature is wrong"),
        ("eyJhbGciOiJub25lIiwia2lkIjoieCJ9." + issuer.token().split(".")[1] + ".AA", '"none" is not accepted'),
        ("ey.ey.ey", "web token"),
    ]:
        refused(api.get("/v1/info", token=token), 401, "unauthenticated", why)


def test_a_public_key_is_no_secret_for_hmac(serve, issuer):
    api = serve()
    head = b64(json.dumps({"alg": "HS256", "kid": "r1", "typ": "JWT"}).encode())
    text = f"{head}.{b64(json.dumps(issuer.claims()).encode())}"
    for secret in issuer.document("/keys"), json.dumps(issuer.keys[0].public()).encode(), b"":
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        refused(api.get("/v1/info", token=f"{text}.{b64(mac)}"), 401, "unauthenticated", '"HS256" is not accepted')


def test_a_token_over_the_limit_is_refused(serve, issuer):
    api = serve(flags=["--connection-bytes", "64k"])
    refused(api.get("/v1/info", token=issuer.token(padding="x" * 17000)), 401, "unauthenticated", "more than")
    assert api.get("/v1/info", token=issuer.token(padding="x" * 8000)).status == 200


def test_keys_are_fetched_once_and_an_unknown_one_at_most_once_in_an_interval(serve, issuer):
    api = serve('keys_interval = "2s"')
    for _ in range(20):
        assert api.get("/v1/info", token=issuer.token()).status == 200
    assert issuer.fetches() == 1
    unknown = Key("r2")
    time.sleep(2.1)
    answers = [api.get("/v1/info", token=unknown.token(issuer.claims())) for _ in range(50)]
    assert {answer.status for answer in answers} <= {401, 503} and answers[-1].status == 401
    assert issuer.fetches() == 2, "50 made-up keys are one fetch"
    issuer.keys.append(unknown)
    wait_until(lambda: api.get("/v1/info", token=unknown.token(issuer.claims())).status == 200, what="the issuer's new key")
    assert issuer.fetches() <= 4


def test_while_keys_are_fetched_the_answer_is_to_try_again_and_nobody_waits(serve, issuer):
    """The issuer is silent for longer than any answer, and the server's end, is waited for here."""
    go_on = threading.Event()
    issuer.answers["/keys"] = lambda handler: go_on.wait(180)
    api = serve(wait=False)
    answer = refused(api.get("/v1/info", token=issuer.token()), 503, "overloaded")
    assert answer.headers["Retry-After"]
    assert api.get("/healthz").status == 200
    assert api.server.stop() == 0, "a silent issuer doesn't hold the end up"
    go_on.set()


def test_an_issuer_that_misbehaves_gives_no_keys_and_a_line_in_the_log(serve, issuer):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass

    def elsewhere(handler):
        handler.send_response(302)
        handler.send_header("Location", f"{issuer.url}/other")
        handler.end_headers()

    issuer.answers["/other"] = issuer.document("/keys")
    api = serve('keys_interval = "1s"')
    known = issuer.token()
    for answer, why in [(endless, "more than 262144 bytes"), (elsewhere, "HTTP status 302"), (500, "HTTP status 500"),
                        (b"{}", "keys: is missing"), (b"\xff", "JSON")]:
        issuer.answers["/keys"] = answer
        time.sleep(1.1)
        assert api.get("/v1/info", token=Key("r9").token(issuer.claims())).status in (401, 503)
        wait_until(lambda: any("oidc.keys" in line and why in line for line in api.server.output), what=why)
        assert api.get("/v1/info", token=known).status == 200, "the keys that were known stay good"


def test_a_document_that_names_another_issuer_or_an_unsafe_url_is_refused(serve, issuer):
    path = "/.well-known/openid-configuration"
    issuer.answers[path] = json.dumps({"issuer": "https://evil.example", "jwks_uri": f"{issuer.url}/keys"}).encode()
    api = serve('keys_interval = "1s"')
    assert any("the document of another issuer" in line for line in api.server.output)
    issuer.answers[path] = json.dumps({"issuer": issuer.url, "jwks_uri": "file:///etc/passwd"}).encode()
    wait_until(lambda: any("jwks_uri is not" in line for line in api.server.output), what="an unsafe URL")
    assert issuer.fetches() == 0
    assert api.get("/v1/info", token=issuer.token()).status == 503


def test_our_own_tokens_work_beside_web_tokens(serve):
    api = serve()
    assert api.get("/v1/info", token=api.token).status == 200
    refused(api.get("/v1/info", token="jic_" + "0" * 64), 401, "unauthenticated", "unknown")


def test_without_issuers_web_tokens_are_nothing(start, issuer):
    refused(start().get("/v1/info", token=issuer.token()), 401, "unauthenticated")


@pytest.mark.parametrize("rules, why", [
    ("", "needs [[oidc.rules]]"),
    ('[[oidc.rules]]\nmatch = { ref = "*" }\n', "at least one claim"),
    ('[[oidc.rules]]\nmatch = { repository = "acme/app" }\nlanes = "pr/{pr}"\n', "nothing captures"),
    ('[[oidc.rules]]\nmatch = { repository = "acme/app" }\ncan = "everything"\n', "read, write, admin"),
])
def test_a_configuration_that_makes_no_sense_is_refused_before_serving(tmp_path, issuer, rules, why):
    path = configure(tmp_path, issuer, rules=rules)
    for command in ["serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "data"], ["config", "check"]:
        done = subprocess.run([bin_dir() / "jicached", *command, "--config", path], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert done.returncode != 0 and why in done.stderr and "jicached.toml:" in done.stderr, done.stderr


def test_plain_http_issuers_need_to_be_allowed(tmp_path, issuer):
    path = configure(tmp_path, issuer)
    path.write_text(path.read_text().replace("loopback_http = true\n", ""))
    done = subprocess.run([bin_dir() / "jicached", "config", "check", "--config", path], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and "https://" in done.stderr
