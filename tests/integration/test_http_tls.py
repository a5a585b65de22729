"""TLS: versions, reloading, broken and expiring certificates; client certificates as identities; the client's side of it."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from certificates import Authority
from conftest import admin
from processes import Server, bin_dir, wait_until

RULES = """
[[tls.clients]]
match = ["CN=ci-*", "URI=spiffe://example/ci/*"]
can = "read,write"
lanes = "main,pr/*"

[[tls.clients]]
match = ["DNS=*.build.example"]
"""


class Site:
    """A server with TLS, whose files are replaced as an administrator would."""

    def __init__(self, folder, *arguments, rules=RULES, client_ca=True, chain=None):
        self.folder = folder
        self.ca, self.clients = Authority(folder, "servers"), Authority(folder, "clients")
        self.chain, self.key, self.config = folder / "chain.pem", folder / "key.pem", folder / "jicached.toml"
        self.put(*(chain or self.ca.server()))
        self.config.write_text(f'[tls]\ncertificate = "{self.chain}"\nkey = "{self.key}"\n' +
                               (f'client_ca = "{self.clients.certificate}"\nclient_crl = "{self.clients.revoke()}"\n' if client_ca else "") + rules)
        self.server = Server(folder / "data", "--config", self.config, *arguments).start()
        self.port = int(self.server.url.rsplit(":", 1)[1])

    def put(self, chain, key):
        """Each by rename: nobody reads a half."""
        for source, target in ((key, self.key), (chain, self.chain)):
            shutil.copy(source, f"{target}.new")
            os.replace(f"{target}.new", target)

    def context(self, client=None):
        context = ssl.create_default_context(cafile=self.ca.certificate)
        if client:
            context.load_cert_chain(*client)
        return context

    def connect(self, client=None, context=None):
        return http.client.HTTPSConnection("localhost", self.port, context=context or self.context(client), timeout=20)

    def request(self, method, target, body=None, connection=None, client=None, headers=None):
        c = connection or self.connect(client)
        c.request(method, target, body, headers or {})
        answer = c.getresponse()
        return answer.status, answer.read()

    def info(self, **more):
        return json.loads(self.request("GET", "/v1/info", **more)[1])

    def serial(self):
        with socket.create_connection(("localhost", self.port), timeout=20) as plain:
            with self.context().wrap_socket(plain, server_hostname="localhost") as s:
                return s.getpeercert()["serialNumber"]

    def said(self, event):
        return [line for line in self.server.output if f'"{event}"' in line]

    def hup(self):
        before = len(self.said("tls.reload"))
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(self.said("tls.reload")) > before, what="the server to have read its files again")
        return self.said("tls.reload")[-1]


@pytest.fixture
def site(tmp_path):
    sites = []

    def begin(*arguments, **more):
        sites.append(Site(tmp_path / f"site{len(sites)}", *arguments, **more))
        return sites[-1]

    yield begin
    for s in sites:
        assert s.server.stop() == 0, "".join(s.server.output)[-4000:]


def test_a_blob_goes_there_and_back(site):
    s = site()
    ci = s.clients.client("/CN=ci-1")
    content = os.urandom(3_000_000)
    path = f"/v1/blobs/{hashlib.sha256(content).hexdigest()}"
    assert s.server.url.startswith("https://")
    connection = s.connect(ci)
    assert s.request("PUT", path, content, connection)[0] == 201
    assert s.request("GET", path, connection=connection) == (200, content)
    assert any('"https":true' in line for line in s.said("http.request"))


def test_old_versions_and_plain_http_are_refused(site):
    s = site(client_ca=False, rules="")
    for version, welcome in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        context = s.context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        if welcome:
            assert s.request("GET", "/healthz", connection=s.connect(context=context))[0] == 200
        else:
            with pytest.raises((ssl.SSLError, OSError)):
                s.request("GET", "/healthz", connection=s.connect(context=context))
    with pytest.raises((http.client.HTTPException, OSError)):
        plain = http.client.HTTPConnection("localhost", s.port, timeout=20)
        plain.request("GET", "/healthz")
        plain.getresponse()
    assert s.request("GET", "/healthz")[0] == 200


def test_a_new_certificate_counts_for_new_connections_and_old_ones_live_on(site):
    s = site()
    held, first = s.connect(), s.serial()
    assert s.request("GET", "/healthz", connection=held)[0] == 200
    s.put(*s.ca.server())
    assert "error" not in s.hup()
    assert s.serial() != first
    for _ in range(3):
        assert s.request("GET", "/healthz", connection=held)[0] == 200


def test_a_download_under_way_survives_a_reload(site):
    s = site()
    content = os.urandom(20_000_000)
    path = f"/v1/blobs/{hashlib.sha256(content).hexdigest()}"
    ci = s.clients.client("/CN=ci-1")
    assert s.request("PUT", path, content, client=ci)[0] == 201
    connection = s.connect(ci)
    connection.request("GET", path)
    answer = connection.getresponse()
    got = answer.read(100_000)
    for _ in range(2):
        s.put(*s.ca.server())
        s.hup()
    assert got + answer.read() == content


def test_a_changed_file_is_noticed_without_a_signal(site):
    s = site()
    first = s.serial()
    s.put(*s.ca.server())
    wait_until(lambda: s.said("tls.reload"), timeout_s=60, what="the new certificate")
    assert s.serial() != first


def broken(s, kind):
    chain, key = s.ca.server()
    other, _ = s.ca.server()
    return {"no certificate": (key, key), "no key": (chain, chain), "another key": (other, key),
            "expired": s.ca.server(days=-1), "empty": (os.devnull, os.devnull)}[kind]


@pytest.mark.parametrize("kind", ["no certificate", "no key", "another key", "expired", "empty"])
def test_a_broken_certificate_is_refused_and_the_old_one_stays(site, kind):
    s = site()
    first = s.serial()
    chain, key = broken(s, kind)
    s.put(chain, key)
    said = json.loads(s.hup())
    assert said["level"] == "error" and said["kept"]
    assert {"no certificate": "chain.pem", "no key": "key.pem", "another key": "is not the key", "expired": "has expired",
            "empty": "empty"}[kind] in said["error"]
    assert s.serial() == first
    s.put(*s.ca.server())
    assert "error" not in s.hup()
    assert s.serial() != first


def test_a_server_without_a_usable_certificate_does_not_start(tmp_path):
    ca = Authority(tmp_path)
    chain, key = ca.server()
    other, _ = ca.server()
    for arguments, why in ((("--tls-certificate", chain), "need each other"), (("--tls-certificate", other, "--tls-key", key), "is not the key"),
                           (("--tls-certificate", "/nonexistent", "--tls-key", key), "/nonexistent"),
                           (("--listen", "https://127.0.0.1:0"), "https needs"), (("--tls-client-ca", chain), "needs tls.certificate")):
        done = subprocess.run([bin_dir() / "jicached", "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", *map(str, arguments)],
                              capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        assert done.returncode in (1, 2) and why in done.stderr, done.stderr


def test_an_end_that_is_near_is_said_in_the_log_and_by_status(site, tmp_path):
    ca = Authority(tmp_path, "other")
    s = site(chain=ca.server(days=5))
    wait_until(lambda: s.said("tls.expires"), what="the warning")
    assert json.loads(s.said("tls.expires")[0])["days"] in (4, 5)
    status = json.loads(admin(s.server, "status", "--json", "--config", s.config).stdout)
    assert 0 < status["certificate_expires_s"] - time.time() < 5.1 * 86400
    assert "WARNING" in admin(s.server, "status", "--config", s.config).stdout
    s.put(*s.ca.server())
    assert "WARNING" not in admin(s.server, "status", "--config", s.config).stdout


# ---- clients


def test_a_certificate_is_what_its_rule_says(site):
    s = site()
    cases = (("/CN=ci-7", "", ["main"], True), ("/CN=x", "URI:spiffe://example/ci/9", ["main"], True),
             ("/CN=x", "DNS:a.build.example", ["main"], False))
    for subject, names, lanes, can_write in cases:
        info = s.info(client=s.clients.client(subject, names))
        assert (info["lanes"], info["can_write"]) == (lanes, can_write), subject
    assert s.info()["can_write"] is False
    assert any('"token":"cert:CN=ci-7"' in line for line in s.said("http.request"))


def test_a_certificate_may_write_only_its_lanes(site):
    s = site()
    reader, content = s.clients.client("/CN=x", "DNS:a.build.example"), b"x" * 1000
    status, body = s.request("PUT", f"/v1/blobs/{hashlib.sha256(content).hexdigest()}", content, client=reader)
    assert status == 403 and b"cert:DNS=a.build.example" in body


@pytest.mark.parametrize("kind", ["another authority", "expired", "a server's", "self-signed", "no rule"])
def test_a_certificate_that_does_not_count_is_refused_everywhere(site, kind):
    s = site()
    client = {"another authority": lambda: s.ca.client("/CN=ci-1"), "expired": lambda: s.clients.client("/CN=ci-1", days=-1),
              "a server's": lambda: s.clients.issue("/CN=ci-1", purpose="serverAuth"),
              "self-signed": lambda: s.ca.self_signed("/CN=ci-1"), "no rule": lambda: s.clients.client("/CN=somebody")}[kind]()
    status, body = s.request("GET", "/v1/info", client=client)
    assert status == 401 and b"certificate" in body
    assert s.request("GET", "/v1/info")[0] == 200, "without one, this machine may read"


def test_a_token_counts_before_a_certificate(site):
    s = site()
    token = admin(s.server, "token", "create", "--name", "reader", "--can", "read").stdout.strip()
    info = s.info(client=s.clients.client("/CN=ci-1"), headers={"Authorization": f"Bearer {token}"})
    assert info["can_write"] is False


def test_a_name_with_a_hidden_end_is_no_name(site):
    """A NUL in a name once ended it for the reader and not for the signer. openssl writes none, but a line feed is one such too."""
    s = site()
    status, _ = s.request("GET", "/v1/info", client=s.clients.client("/CN=ci-1\n.evil.example"))
    assert status == 401


def test_revoking_counts_at_once_on_an_open_connection(site):
    s = site()
    ci, other = s.clients.client("/CN=ci-1"), s.clients.client("/CN=ci-2")
    held = s.connect(ci)
    assert s.info(connection=held)["can_write"]
    s.clients.revoke(ci[0])
    assert "error" not in s.hup()
    status, body = s.request("GET", "/v1/info", connection=held)
    assert status == 401 and b"revoked" in body
    assert s.info(client=other)["can_write"]


def test_rules_are_read_again_and_wrong_ones_are_not_taken(site):
    s = site()
    ci = s.clients.client("/CN=ci-1")
    held, text = s.connect(ci), s.config.read_text()
    assert s.info(connection=held)["can_write"]
    s.config.write_text(text.replace("read,write", "everything"))
    assert "read, write, admin" in s.hup()
    assert s.info(connection=held)["can_write"]
    s.config.write_text(text.replace("read,write", "read"))
    s.hup()
    assert not s.info(connection=held)["can_write"]


# ---- jicache


def doctor(s, tmp_path, **settings):
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "JULIA": "/bin/false", "JICACHE_URL": f"https://localhost:{s.port}", **settings}
    done = subprocess.run([bin_dir() / "jicache", "doctor"], env={k: str(v) for k, v in env.items()}, capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.stdout


def test_the_client_shows_its_certificate_and_checks_the_servers(site, tmp_path):
    s = site()
    chain, key = s.clients.client("/CN=ci-1")
    both = tmp_path / "both.pem"
    both.write_text(chain.read_text() + key.read_text())
    assert "may publish" in doctor(s, tmp_path, JICACHE_CA_FILE=s.ca.certificate, JICACHE_CLIENT_CERTIFICATE=chain, JICACHE_CLIENT_KEY=key)
    assert "may publish" in doctor(s, tmp_path, JICACHE_CA_FILE=s.ca.certificate, JICACHE_CLIENT_CERTIFICATE=both)
    assert "answers" in doctor(s, tmp_path, JICACHE_CA_FILE=s.ca.certificate)
    for wrong in ({}, {"JICACHE_CA_FILE": s.clients.certificate}):
        assert "SSL certificate problem" in doctor(s, tmp_path, **wrong)
    settings = tmp_path / ".config/jicache/config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'ca_file = "{s.ca.certificate}"\nclient_certificate = "{chain}"\nclient_key = "{key}"\n')
    assert "may publish" in doctor(s, tmp_path)
