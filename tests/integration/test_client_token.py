"""Where the client gets its token: flag, variable, files, or the CI system. `jicache doctor` says who the server takes us for."""

import json
import subprocess
import urllib.parse

import pytest

from conftest import bin_dir, make_token
from test_oidc import issuer, serve  # noqa: F401  fixtures


class Runner:
    """What GitHub Actions gives a job with `id-token: write`: a URL that answers with a token for the audience asked for."""

    def __init__(self, issuer):
        self.issuer, self.audiences, self.authorizations = issuer, [], []
        issuer.document = self.document_or(issuer.document)
        self.answer = None

    def document_or(self, others):
        def document(path):
            if not path.startswith("/token?"):
                return others(path)
            return self.give
        return document

    def give(self, handler):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query)
        self.audiences += query["audience"]
        self.authorizations.append(handler.headers["Authorization"])
        body = self.answer or json.dumps({"value": self.issuer.token(audience=query["audience"][0])}).encode()
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body)

    def env(self):
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.issuer.url}/token?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-secret"}


@pytest.fixture
def doctor(tmp_path):
    """doctor(api, environment…) → what it says."""
    def ask(api, *arguments, config="", **env):
        home = tmp_path / "home"
        (home / ".config/jicache").mkdir(parents=True, exist_ok=True)
        (home / ".config/jicache/config.toml").write_text(config)
        done = subprocess.run([bin_dir() / "jicache", "doctor", "--url", api.server.url, *arguments],
                              env={"HOME": str(home), "PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120)
        assert "Sanitizer" not in done.stderr, done.stderr
        return done.stdout + done.stderr
    return ask


MAY = "the token may publish"


def test_variables_and_files_in_their_order(start, doctor, tmp_path):
    api = start("--require-token")
    good = tmp_path / "token"
    good.write_text(f"{api.token}\n")
    bad = "jic_" + "0" * 64
    assert MAY in doctor(api, "--token", api.token)
    assert MAY in doctor(api, JICACHE_TOKEN=api.token)
    assert MAY in doctor(api, JICACHE_TOKEN_FILE=str(good))
    assert MAY in doctor(api, config=f'token_file = "{good}"\n')
    assert MAY in doctor(api, JICACHE_TOKEN=api.token, JICACHE_TOKEN_FILE="/nonexistent")
    assert MAY in doctor(api, config=f'token = "{bad}"\n', JICACHE_TOKEN_FILE=str(good))
    assert "unknown" in doctor(api, config=f'token = "{bad}"\ntoken_file = "{good}"\n')


def test_a_token_file_that_is_missing_or_strange_is_said(start, doctor, tmp_path):
    api = start()
    assert "/nonexistent" in doctor(api, JICACHE_TOKEN_FILE="/nonexistent")
    strange = tmp_path / "token"
    strange.write_text("a\nX-Evil: b")
    assert "control characters" in doctor(api, JICACHE_TOKEN_FILE=str(strange))


def test_a_token_that_is_too_long_for_the_server_is_said(start, doctor):
    api = start()
    assert "is the token too long?" in doctor(api, JICACHE_TOKEN="x" * 20_000)
    assert "is the token too long?" not in doctor(api, JICACHE_TOKEN="x" * 12_000)


def test_a_job_asks_its_ci_system(serve, issuer, doctor):  # noqa: F811
    runner, api = Runner(issuer), serve()
    told = doctor(api, JICACHE_TOKEN="oidc", JICACHE_OIDC_AUDIENCE="jicache", **runner.env())
    assert MAY in told, told
    assert runner.audiences == ["jicache"] and runner.authorizations == ["Bearer runner-secret"]
    assert "ci:repo:acme/app:ref:refs/heads/main" in "".join(api.server.output)


def test_the_audience_is_the_server_if_nothing_else_is_said(serve, issuer, doctor):  # noqa: F811
    runner, api = Runner(issuer), serve()
    told = doctor(api, config='token = "oidc"\n', **runner.env())
    assert runner.audiences == [api.server.url] and "another audience" in told


def test_a_job_that_may_not_ask_reads_without_a_token(start, doctor):
    assert "there is no token" in doctor(start(), JICACHE_TOKEN="oidc")


def test_what_the_ci_system_gives_is_not_trusted(serve, issuer, doctor):  # noqa: F811
    runner, api = Runner(issuer), serve()
    for answer, why in [(b"not JSON", "JSON"), (b"{}", "value: is missing"), (b'{"value": "a\\r\\nX: b"}', "no token"),
                        (json.dumps({"value": "x" * 20000}).encode(), "too long"), (b" " * 100_000, "token service")]:
        runner.answer = answer
        told = doctor(api, JICACHE_TOKEN="oidc", JICACHE_OIDC_AUDIENCE="jicache", **runner.env())
        assert "the CI system's token service" in told and why in told, told
