"""The cache of small blobs: it answers as the index would, and never longer than the index would."""

import os

import pytest

from conftest import admin
from test_http_isolation import BASE, Actor, artefact, insider, maintainer, stranger, world  # noqa: F401

ZSTD = {"Accept-Encoding": "zstd"}


@pytest.fixture
def secret(insider):  # noqa: F811
    """The digest of a blob that the lane `secret` has, and that was asked for before."""
    made, _, _ = artefact(insider, *BASE)
    assert insider.publish(made, lane="secret").status == 200
    for _ in range(3):
        assert read(insider, made["ji"]).status == 200
    return made["ji"]


def read(actor, digest, **headers):
    return actor.get(f"/v1/blobs/{digest}", headers={**ZSTD, **headers})


def test_what_one_may_read_another_may_not(insider, stranger, secret):  # noqa: F811
    for _ in range(3):
        assert read(insider, secret).status == 200
        assert read(stranger, secret).status == 404
        assert stranger.api.get(f"/v1/blobs/{secret}", headers=ZSTD).status == 401


def test_a_revoked_token_reads_nothing_more(insider, secret):  # noqa: F811
    admin(insider.server, "token", "revoke", "--name", insider.name)
    assert read(insider, secret).status == 401


def test_a_lane_that_another_process_drops_is_gone_at_once(insider, secret, world):  # noqa: F811
    assert Actor(world, "second", "secret").get(f"/v1/blobs/{secret}", headers=ZSTD).status == 200
    second = Actor(world, "third", "secret")
    for _ in range(3):
        assert read(second, secret).status == 200
    admin(insider.server, "lane", "drop", "--name", "secret")
    assert read(second, secret).status == 404


def test_what_was_not_there_is_there_at_once(insider, stranger, maintainer, secret):  # noqa: F811
    assert read(stranger, secret).status == 404
    assert maintainer.publish(artefact(maintainer, *BASE)[0], lane="main").status == 200
    assert read(stranger, secret).status == 200, "pr/7 sees main beneath it"


@pytest.mark.parametrize("size", [0, 1, 1000, 200_000, 1_000_000])
def test_the_second_answer_is_the_first(start, size):
    cached, plain = start(), start("--blob-cache-bytes", "0", data="other")
    content = os.urandom(size)
    for api in (cached, plain):
        digest, _ = api.put_blob(content)
    path = f"/v1/blobs/{digest}"
    tag = cached.get(path, headers=ZSTD).headers["ETag"]
    for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"Range": "bytes=3-9"}), ("GET", {"Range": "bytes=-5"}),
                            ("GET", {"Range": "bytes=99999999-"}), ("GET", {"If-None-Match": tag}), ("HEAD", {"If-None-Match": tag}),
                            ("GET", {"Range": "bytes=0-0", "If-Range": tag}), ("GET", {"Accept-Encoding": "identity"})):
        answers = [api.request(method, path, headers={**ZSTD, **headers}) for api in (plain, cached, cached)]
        said = [(a.status, a.body if a.status < 400 else b"", {k: v for k, v in a.headers.items() if k not in ("Date", "X-Request-Id", "Content-Length") or
                                                               (k == "Content-Length" and a.status < 400)}) for a in answers]
        assert said[0] == said[1] == said[2], (method, headers)
