"""Every route and what it answers when all is well. The contract is checked by the client of conftest.py."""

import hashlib
import os
import subprocess

import pytest

from conftest import admin, make_token

A, B = "a" * 64, "b" * 64
RUNTIME = f"julia-1.11.1-x86_64-linux-gnu-{A}"
RESOLVE = {"sysimage": A, "runtimes": [RUNTIME], "keys": [A, B]}
PUBLISH = {
    "runtime": {"version": "1.11.1", "uname": "Linux", "arch": "x86_64", "triplet": "x86_64-linux-gnu", "word_bits": 64,
                "flags": "pkgimages=0", "cpu": "target:generic", "bundled": []},
    "sysimage": A, "sysimage_modules": [{"name": "Core", "build_id": "0" * 15 + "1"}], "artefacts": [],
    "provenance": {"host": "h", "client": "test"},
}


def unpack(data):
    return subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout


def test_info_tells_limits_and_visible_lanes(api):
    info = api.get("/v1/info").json
    assert info["protocol"] == 1 and info["lanes"] == ["main"] and info["can_write"] is False
    assert api.get("/v1/info", token=api.token).json["can_write"] is True
    admin(api.server, "lane", "create", "--name", "pr/7", "--parent", "main")
    admin(api.server, "lane", "create", "--name", "secret")
    assert api.get("/v1/info").json["lanes"] == ["main", "pr/7", "secret"]
    assert api.get("/v1/info", token=api.token).json["lanes"] == ["main", "pr/7"]


def test_health_and_readiness(api):
    assert api.get("/healthz").json == {"status": "ok"}
    assert api.get("/readyz").json == {"status": "ok"}
    assert api.request("HEAD", "/healthz").body == b""


def test_resolve_of_an_empty_store_has_no_sets(api):
    assert api.post("/v1/resolve", RESOLVE, valid=True).json == {"sets": []}


def test_unknown_fields_are_ignored(api):
    assert api.post("/v1/resolve", RESOLVE | {"later": [{"x": 1.5}]}, valid=True).status == 200


def test_an_uploaded_blob_comes_back(api):
    content = os.urandom(100_000) + bytes(300_000)
    digest, put = api.put_blob(content)
    assert put.status == 201
    assert api.put_blob(content)[1].status == 204
    got = api.get(f"/v1/blobs/{digest}")
    assert got.body == content and got.headers.get("Content-Encoding") is None
    packed = api.get(f"/v1/blobs/{digest}", headers={"Accept-Encoding": "gzip, zstd"})
    assert packed.headers["Content-Encoding"] == "zstd" and len(packed.body) < len(content)
    assert unpack(packed.body) == content
    assert packed.headers["ETag"] != got.headers["ETag"]


def test_zstd_at_weight_zero_is_not_sent(api):
    digest, _ = api.put_blob(b"x" * 1000)
    got = api.get(f"/v1/blobs/{digest}", headers={"Accept-Encoding": "zstd;q=0, gzip"})
    assert got.body == b"x" * 1000


def test_a_blob_may_be_uploaded_compressed(api):
    content = b"the same bytes " * 10_000
    packed = subprocess.run(["zstd", "-c"], input=content, capture_output=True, check=True).stdout
    digest = hashlib.sha256(content).hexdigest()
    put = api.request("PUT", f"/v1/blobs/{digest}", body=packed, headers={"Content-Encoding": "zstd"}, token=api.token)
    assert put.status == 201
    assert api.get(f"/v1/blobs/{digest}").body == content


def test_a_blob_may_be_uploaded_in_chunks_of_unknown_number(api):
    content = os.urandom(300_000)
    digest = hashlib.sha256(content).hexdigest()
    pieces = (content[i:i + 7777] for i in range(0, len(content), 7777))
    put = api.request("PUT", f"/v1/blobs/{digest}", body=pieces, token=api.token)
    assert put.status == 201
    assert api.get(f"/v1/blobs/{digest}").body == content


def test_an_empty_blob_is_a_blob(api):
    digest, put = api.put_blob(b"")
    assert put.status == 201
    assert api.get(f"/v1/blobs/{digest}").body == b""
    assert unpack(api.get(f"/v1/blobs/{digest}", headers={"Accept-Encoding": "zstd"}).body) == b""
    assert api.get(f"/v1/blobs/{digest}", headers={"Range": "bytes=0-"}).status == 416


@pytest.mark.parametrize("encoding", [None, "zstd"])
def test_head_has_the_headers_of_get(api, encoding):
    digest, _ = api.put_blob(bytes(50_000))
    headers = {"Accept-Encoding": encoding} if encoding else {}
    get = api.get(f"/v1/blobs/{digest}", headers=headers)
    head = api.request("HEAD", f"/v1/blobs/{digest}", headers=headers)
    assert head.status == 200 and head.body == b""
    ignored = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k.lower() not in ignored} == \
           {k: v for k, v in get.headers.items() if k.lower() not in ignored}


@pytest.mark.parametrize("encoding", [None, "zstd"])
def test_a_range_is_a_part_of_the_chosen_representation(api, encoding):
    digest, _ = api.put_blob(os.urandom(200_000))
    headers = {"Accept-Encoding": encoding} if encoding else {}
    target = f"/v1/blobs/{digest}"
    whole = api.get(target, headers=headers).body
    for text, part in [("0-0", whole[:1]), ("1000-1999", whole[1000:2000]), ("150000-", whole[150000:]), ("-7", whole[-7:]),
                       ("199990-999999999", whole[199990:])]:
        got = api.get(target, headers=headers | {"Range": f"bytes={text}"})
        assert (got.status, got.body) == (206, part), text
        first = len(whole) - 7 if text == "-7" else int(text.split("-")[0])
        assert got.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"
    refused = api.get(target, headers=headers | {"Range": f"bytes={len(whole)}-"})
    assert refused.status == 416 and refused.headers["Content-Range"] == f"bytes */{len(whole)}"
    for ignored in ["bytes=0-1,3-4", "items=0-1", "bytes=5-2", "bytes=x-"]:
        assert api.get(target, headers=headers | {"Range": ignored}).body == whole


def test_a_range_far_into_a_blob(api):
    content = bytes(30_000_000) + b"the end"
    digest, _ = api.put_blob(content)
    got = api.get(f"/v1/blobs/{digest}", headers={"Range": "bytes=30000000-"})
    assert (got.status, got.body) == (206, b"the end")


def test_if_range_with_another_tag_gives_the_whole(api):
    digest, _ = api.put_blob(b"0123456789")
    target = f"/v1/blobs/{digest}"
    assert api.get(target, headers={"Range": "bytes=0-1", "If-Range": f'"{digest}"'}).status == 206
    assert api.get(target, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).body == b"0123456789"


def test_a_known_tag_is_not_sent_again(api):
    digest, _ = api.put_blob(b"0123456789")
    target = f"/v1/blobs/{digest}"
    with_tag = {"If-None-Match": f'"x", W/"{digest}"'}
    connection = api.connect()
    for _ in range(2):  # the second shows that the first left nothing behind on the connection
        got = api.get(target, headers=with_tag, connection=connection)
        assert got.status == 304 and got.headers["Content-Length"] == "10"
    assert api.get(target, headers=with_tag | {"Accept-Encoding": "zstd"}, connection=connection).status == 200
    tag = {"If-None-Match": f'"{digest}-zst"', "Accept-Encoding": "zstd", "Range": "bytes=0-1"}
    assert api.get(target, headers=tag, connection=connection).status == 304


def test_missing_names_what_is_not_stored(api):
    digest, _ = api.put_blob(b"here")
    body = {"digests": [A, digest, B]}
    assert api.post("/v1/blobs/missing", body, token=api.token, valid=True).json == {"missing": [A, B]}
    assert api.post("/v1/blobs/missing", {"digests": []}, token=api.token).json == {"missing": []}


def test_publishing_nothing_is_published(api):
    got = api.post("/v1/publish", PUBLISH, token=api.token, valid=True)
    assert got.json == {"published": [], "existing": []}


def test_one_connection_serves_many_requests_quickly(api):
    connection = api.connect()
    for _ in range(200):
        assert api.get("/healthz", connection=connection).status == 200


def test_the_access_log_has_one_line_a_request(start):
    api = start()
    digest, _ = api.put_blob(b"logged")
    api.get(f"/v1/blobs/{digest}")
    answer = api.get("/v1/nothing")
    api.server.stop()
    import json
    lines = [json.loads(line) for line in api.server.output if '"http.request"' in line]
    # A line is written when its request is over, which may be after the client has the answer and has sent the next one.
    by_status = {x["status"]: x for x in lines}
    assert sorted((x["method"], x["status"]) for x in lines) == [("GET", 200), ("GET", 404), ("PUT", 201)]
    assert by_status[201]["token"] == "writer0" and by_status[201]["received"] == 6 and by_status[200]["bytes"] == 6
    assert by_status[404]["request_id"] == answer.headers["X-Request-Id"] and by_status[404]["peer"] == "127.0.0.1"
    assert api.token not in "".join(api.server.output)


def test_use_of_a_token_is_written_down(api):
    import json
    import time
    make_token(api.server, "idle", "read")
    api.get("/v1/info", token=api.token)
    for _ in range(100):
        tokens = {t["name"]: t for t in json.loads(admin(api.server, "token", "list", "--json").stdout)["tokens"]}
        if tokens["writer0"]["last_used_s"]:
            break
        time.sleep(0.1)
    assert tokens["writer0"]["last_used_s"] > 0 and tokens["idle"]["last_used_s"] == 0
