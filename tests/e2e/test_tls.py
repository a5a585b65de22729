"""Client certificates instead of tokens, with a real Julia: what one machine compiled and published, another loads."""

import pytest
from certificates import Authority
from processes import Server

RULES = """
[[tls.clients]]
match = ["CN=ci-*"]
can = "read,write"

[[tls.clients]]
match = ["CN=desk-*"]
"""


@pytest.fixture
def site(tmp_path):
    """A server that takes nobody without a certificate. → (its address, who signs servers, who signs clients)"""
    servers, clients = Authority(tmp_path, "servers"), Authority(tmp_path, "clients")
    chain, key = servers.server()
    config = tmp_path / "jicached.toml"
    config.write_text(f'require_token = true\n[tls]\ncertificate = "{chain}"\nkey = "{key}"\nclient_ca = "{clients.certificate}"\n{RULES}')
    with Server(tmp_path / "server", "--config", config) as running:
        yield f"https://localhost:{running.url.rsplit(':', 1)[1]}", servers, clients


def options(site, name):
    """What makes jicache somebody."""
    chain, key = site[2].client(f"/CN={name}")
    return ["--url", site[0], "--ca-file", site[1].certificate, "--client-certificate", chain, "--client-key", key]


def test_precompile_publishes_and_another_machine_pulls_by_certificate(site, machine, small):
    maker = machine().install(small)
    maker.jicache("precompile", *options(site, "ci-1"))
    user = machine().install(small)
    nobody = user.pull("--url", site[0], "--ca-file", site[1].certificate)
    assert nobody["fetched"] == 0
    report = user.pull("--require", *options(site, "desk-1"))
    assert report["fetched"] == report["packages"] and report["warnings"] == []
    loading = user.load(small)
    loading.assert_nothing_compiled()
    loading.assert_loaded(small)
