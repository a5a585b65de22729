"""No room: a small file system that is full, one that turns read-only, a lane's quota and age. Writes are answered with a sentence,
reads go on."""

import hashlib
import json
import os
import sqlite3
import subprocess
import time
import warnings

import pytest
from judge import assert_clean, prepare, records_of, run
from load import Client, Ledger, push
from preload import preload
from processes import Server, wait_until

DISK = "12m"


def put(client, content):
    digest = hashlib.sha256(content).hexdigest()
    status, body = client.request("PUT", f"/v1/blobs/{digest}", content)
    return digest, status, body


class Disk:
    """A file system of a few megabytes. Where mounting is not allowed, calls that fail from some moment on stand for it."""

    def __init__(self, folder):
        self.path = folder
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", folder], capture_output=True, text=True)
        self.mounted = done.returncode == 0
        if not self.mounted:
            warnings.warn(f"no file system can be mounted here, calls are made to fail instead: {done.stderr.strip()}")

    def start(self, server, failure):
        if not self.mounted:
            server.extra = preload(server.data, fail=failure)
        return server.start()

    def thaw(self, server):
        """Calls work again; a server that was killed meanwhile."""
        server.kill()
        server.extra = {}
        server.start()

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=True)


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "disk")
    yield made
    made.close()


def is_refusal(status, body):
    problem = json.loads(body)
    assert status in (500, 503, 507) and problem["detail"].strip(), (status, body)
    return problem


def assert_reads_go_on(client, ledger):
    assert records_of(client, ledger, ledger.kept) == ledger.kept
    for digest in ledger.kept.values():
        status, content = client.request("GET", f"/v1/blobs/{digest}")
        assert status == 200 and hashlib.sha256(content).hexdigest() == digest


def fill(client):
    """Uploads until one is refused. → (digests that were taken, the refusal)"""
    taken = []
    for _ in range(200):
        digest, status, body = put(client, os.urandom(200_000))
        if status != 201:
            return taken, status, body
        taken.append(digest)
    raise AssertionError("a disk of a few megabytes takes forty")


def published(server, token, forge, sets=8):
    client, ledger = Client(server.url, token), Ledger()
    while len(ledger.kept) < sets:
        push(client, ledger, forge)
    assert ledger.problems == []
    return client, ledger


def test_a_full_disk_refuses_writes_and_goes_on_reading(disk, forge):
    data = disk.path / "data"
    token = prepare(data)
    with Server(data) as server:
        client, ledger = published(server, token, forge)
        client.close()
        server.stop()
        disk.start(server, "write:28:60+")
        taken, status, body = fill(client)
        problem = is_refusal(status, body)
        assert (status, problem["code"]) == (507, "no-space"), body
        assert len(taken) > 10
        assert_reads_go_on(client, ledger)
        assert client.request("GET", "/healthz")[0] == 200
        client.close()
        disk.thaw(server)
        assert_clean(data)
        assert_reads_go_on(client, ledger)
        assert server.stop() == 0


def test_the_floor_is_kept_on_a_small_disk(disk, forge):
    if not disk.mounted:
        pytest.skip("needs a file system of its own: a floor is about what is free")
    data = disk.path / "data"
    token = prepare(data)
    with Server(data, "--free-bytes-min", "6M") as server:
        client, ledger = published(server, token, forge)
        _, status, body = fill(client)
        assert status == 507, body
        wait_until(lambda: "limits.free_bytes_min" in "".join(server.output), what="the reason in the log")
        free = os.statvfs(disk.path)
        assert free.f_bavail * free.f_frsize > 5 * 1024 * 1024
        made = forge.next()
        assert client.request("POST", "/v1/publish", made["publish"])[0] in (409, 507)
        assert_reads_go_on(client, ledger)
        assert server.stop() == 0


def test_a_disk_that_turns_read_only_refuses_writes_and_goes_on_reading(tmp_path, forge):
    """As after an I/O error. A file system with files open for writing can't be remounted by hand, so calls fail as if it were."""
    data, frozen = tmp_path / "data", tmp_path / "frozen"
    token = prepare(data)
    with Server(data) as server:
        client, ledger = published(server, token, forge)
        client.close()
        server.stop()
        server.extra = preload(data, frozen=frozen)
        server.start()
        assert put(client, os.urandom(1000))[1] == 201
        assert_reads_go_on(client, ledger)
        made = forge.next()
        for digest, content in made["blobs"].items():
            assert client.request("PUT", f"/v1/blobs/{digest}", content)[0] in (201, 204)
        frozen.touch()
        for _ in range(3):
            is_refusal(*put(client, os.urandom(1000))[1:])
        is_refusal(*client.request("POST", "/v1/publish", made["publish"]))
        assert client.request("GET", "/readyz")[0] == 503
        assert_reads_go_on(client, ledger)
        frozen.unlink()
        assert put(client, os.urandom(1000))[1] == 201, "no restart is needed"
        assert_clean(data)
        assert server.stop() == 0


# ---- lanes


def lanes(data):
    return {lane["name"]: lane for lane in json.loads(run(data, "lane", "list", "--json").stdout)["lanes"]}


def sum_of(data, lane):
    with sqlite3.connect(f"file:{data}/index.sqlite?mode=ro", uri=True) as index:
        return index.execute("SELECT ifnull(sum(b.stored_size), 0) FROM artefact a JOIN blob b ON b.digest IN (a.ji, a.image)"
                             " JOIN lane l ON l.id = a.lane WHERE l.name = ?", [lane]).fetchone()[0]


def push_into(client, forge, lane):
    made = forge.next()
    for digest, content in made["blobs"].items():
        assert client.request("PUT", f"/v1/blobs/{digest}", content)[0] in (201, 204)
    return client.request("POST", "/v1/publish", made["publish"] | {"lane": lane})


def test_a_lane_at_its_quota_is_refused_and_makes_room_in_itself(tmp_path, forge):
    data = tmp_path / "data"
    token = run(data, "token", "create", "--name", "load", "--can", "read,write", "--lanes", "*").stdout.strip()
    run(data, "lane", "create", "--name", "pr/1", "--parent", "main", "--quota", "20k")
    with Server(data) as server:
        client = Client(server.url, token)
        for _ in range(10):
            assert push_into(client, forge, "main")[0] == 200
        main = sum_of(data, "main")
        refusals = []
        for _ in range(300):
            status, body = push_into(client, forge, "pr/1")
            assert status in (200, 507), body
            if status == 507:
                refusals.append(json.loads(body))
                time.sleep(0.02)
        assert refusals and all(r["code"] == "no-space" and "quota" in r["detail"] for r in refusals)
        wait_until(lambda: push_into(client, forge, "pr/1")[0] == 200, what="room again")
        listed = lanes(data)
        assert listed["pr/1"]["stored_bytes"] <= listed["pr/1"]["quota_bytes"] == 20 * 1024
        assert listed["pr/1"]["stored_bytes"] == sum_of(data, "pr/1")
        assert listed["main"]["stored_bytes"] == main == sum_of(data, "main"), "of other lanes nothing went"
        assert_clean(data)


def test_a_lane_has_an_age_limit_of_its_own(tmp_path, forge):
    data = tmp_path / "data"
    token = run(data, "token", "create", "--name", "load", "--can", "read,write", "--lanes", "*").stdout.strip()
    run(data, "lane", "create", "--name", "pr/1", "--parent", "main")
    run(data, "lane", "limit", "--name", "pr/1", "--max-age", "1s")
    with Server(data) as server:
        client = Client(server.url, token)
        assert push_into(client, forge, "main")[0] == push_into(client, forge, "pr/1")[0] == 200
        kept = sum_of(data, "main")
        assert kept and sum_of(data, "pr/1")
        server.stop()
        time.sleep(2.1)
        server.start()
        wait_until(lambda: sum_of(data, "pr/1") == 0, what="eviction by age")
        assert sum_of(data, "main") == kept and lanes(data)["pr/1"]["stored_bytes"] == 0
        assert_clean(data)


def test_limits_of_a_lane_are_changed_one_by_one(tmp_path):
    data = tmp_path / "data"
    run(data, "token", "create", "--name", "one")
    run(data, "lane", "limit", "--name", "main", "--quota", "5G", "--max-age", "30d")
    run(data, "lane", "limit", "--name", "main", "--quota", "6G")
    assert (lanes(data)["main"]["quota_bytes"], lanes(data)["main"]["max_age_s"]) == (6 << 30, 30 * 86400)
    run(data, "lane", "limit", "--name", "main", "--quota", "0")
    assert "quota_bytes" not in lanes(data)["main"]
    assert run(data, "lane", "limit", "--name", "other", "--quota", "1G", check=False).returncode == 1
    assert run(data, "lane", "limit", "--name", "main", "--quota", "much", check=False).returncode == 2
    assert run(data, "lane", "limit", "--quota", "1G", check=False).returncode == 2
