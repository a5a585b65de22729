"""Limits for one caller over HTTP."""

import os

from conftest import make_token
from test_http_errors import refused
from test_http_resources import RESOLVE


def burst(api, count, **more):
    return [api.post("/v1/resolve", RESOLVE, **more).status for _ in range(count)]


def test_a_token_has_its_own_limit(start):
    api = start("--requests-per-minute", "5", "--anonymous-requests-per-minute", "3")
    one, two = (make_token(api.server, name, "read") for name in ("one", "two"))
    assert burst(api, 7, token=one) == [200] * 5 + [429] * 2
    answer = refused(api.post("/v1/resolve", RESOLVE, token=one), 429, "rate-limited", "requests in a minute")
    assert 1 <= int(answer.headers["Retry-After"]) <= 12
    assert burst(api, 6, token=two) == [200] * 5 + [429]
    assert burst(api, 4) == [200] * 3 + [429], "without a token the address counts"
    assert api.get("/healthz").status == api.get("/readyz").status == api.get("/v1/info").status == 200


def test_trying_tokens_counts_for_the_address(start):
    api = start("--anonymous-requests-per-minute", "4")
    answers = [api.get("/v1/info", token=f"jic_{i:064x}").status for i in range(6)]
    assert answers == [401] * 4 + [429] * 2
    assert api.get("/v1/info", token=api.token).status == 200, "a good token is not held up by bad ones"


def test_uploads_of_a_token_are_limited_for_the_day(start):
    api = start("--upload-bytes-per-day", "100k")
    assert api.put_blob(os.urandom(90_000))[1].status == 201
    digest, put = api.put_blob(os.urandom(90_000))
    refused(put, 429, "rate-limited", "bytes of uploads in a day")
    assert 86000 < int(put.headers["Retry-After"]) <= 86400
    assert api.get(f"/v1/blobs/{digest}").status == 404
    assert burst(api, 2, token=api.token) == [200, 200]
    other = make_token(api.server, "other", "write")
    assert api.put_blob(os.urandom(90_000), token=other)[1].status == 201
