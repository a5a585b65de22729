"""Clients that push, pull and upload without end, for tests that look at the server meanwhile: killed, restarted, short of room.
They speak HTTP themselves, because thousands of requests are wanted; what they push is forged (forge_stream.c)."""

import hashlib
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

from processes import ROOT, bin_dir

sys.path.insert(0, str(ROOT / "schema"))

import address_vectors  # noqa: E402  the second implementation of schema/address.md

TIMEOUT_S = 60
REFUSALS = (503, 507)  # the server is busy, or has no room: allowed at any time


class Forge:
    """Sets of packages, each to be uploaded and published once; endless."""

    def __init__(self, seed):
        program = pathlib.Path(os.environ.get("JICACHE_FORGE", bin_dir().parent / "tests/forge_stream"))
        self.lock = threading.Lock()
        self.process = subprocess.Popen([program, str(seed)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def next(self):
        with self.lock:
            made = json.loads(self.process.stdout.readline())
        made["blobs"] = {digest: bytes.fromhex(text) for digest, text in made["blobs"].items()}
        return made

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def runtime_id(publish):
    r = publish["runtime"]
    return f"julia-{r['version']}-{r['triplet']}-{address_vectors.sha(address_vectors.runtime(r))}"


class Ledger:
    """What the server has acknowledged, and what it did that it must not."""

    def __init__(self):
        self.lock = threading.Lock()
        self.kept = {}        # key → digest of the cache file, of what is pinned: nothing of it may ever be lost
        self.loose = {}       # the same of what may be evicted
        self.uploads = set()  # digests of blobs that nobody publishes
        self.runtime, self.sysimage = None, None
        self.answers = {}     # (what, status) → how often
        self.problems = []

    def note(self, what, status):
        with self.lock:
            self.answers[what, status] = self.answers.get((what, status), 0) + 1

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def published(self, made):
        with self.lock:
            self.runtime, self.sysimage = runtime_id(made["publish"]), made["publish"]["sysimage"]
            where = self.kept if made["keep"] else self.loose
            where.update({a["key"]: a["ji"] for a in made["publish"]["artefacts"]})

    def uploaded(self, digest):
        with self.lock:
            self.uploads.add(digest)

    def sample(self, count):
        with self.lock:
            known = list((self.kept | self.loose).items())
        return dict(random.sample(known, min(count, len(known))))


class Client:
    """One connection, opened anew when it breaks."""

    def __init__(self, url, token):
        self.host, port = url.removeprefix("http://").split(":")
        self.port, self.token, self.connection = int(port), token, None

    def request(self, method, target, body=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self.token}"}
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            self.connection.request(method, target, body=body, headers=headers)
            response = self.connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def resolve(self, ledger, keys):
        return self.request("POST", "/v1/resolve", {"sysimage": ledger.sysimage, "runtimes": [ledger.runtime], "keys": list(keys)})


def push(client, ledger, forge):
    made = forge.next()
    for digest, content in made["blobs"].items():
        status, body = client.request("PUT", f"/v1/blobs/{digest}", content)
        ledger.note("upload", status)
        if status in REFUSALS:
            time.sleep(0.01)
            return
        if status not in (201, 204):
            ledger.problem(f"upload: {status} {body!r}")
            return
    status, body = client.request("POST", "/v1/publish", made["publish"])
    ledger.note("publish", status)
    if status == 200:
        ledger.published(made)
    elif status not in REFUSALS and status != 409:  # evicted between upload and publish
        ledger.problem(f"publish: {status} {body!r}")


def pull(client, ledger, forge):
    wanted = ledger.sample(40)
    if not wanted:
        time.sleep(0.01)
        return
    status, body = client.resolve(ledger, wanted)
    ledger.note("resolve", status)
    if status != 200:
        if status not in REFUSALS:
            ledger.problem(f"resolve: {status} {body!r}")
        return
    for record in [r for s in json.loads(body)["sets"] for r in s["records"]][:10]:
        if record["ji"]["digest"] != wanted[record["key"]]:
            ledger.problem(f"resolve: {record['key']} has other bytes than were published")
        status, content = client.request("GET", f"/v1/blobs/{record['ji']['digest']}")
        ledger.note("download", status)
        # Evicted after the resolve, it is a miss; what comes is whole.
        if status == 200 and hashlib.sha256(content).hexdigest() != record["ji"]["digest"]:
            ledger.problem(f"download: {record['ji']['digest']} has other bytes")
        elif status not in (200, 404, *REFUSALS):
            ledger.problem(f"download: {status} {content!r}")


def upload(client, ledger, forge):
    content = os.urandom(random.choice([10, 3000, 20_000]))
    digest = hashlib.sha256(content).hexdigest()
    status, body = client.request("PUT", f"/v1/blobs/{digest}", content)
    ledger.note("upload", status)
    if status in (201, 204):
        ledger.uploaded(digest)
    elif status not in REFUSALS:
        ledger.problem(f"upload: {status} {body!r}")
    time.sleep(0.05)


def squeeze(client, ledger, forge):
    """Push into the lane "tight", which has a quota: room is made in it, or it is refused. Nothing of it is owed to anybody."""
    made = forge.next()
    for digest, content in made["blobs"].items():
        status, body = client.request("PUT", f"/v1/blobs/{digest}", content)
        if status not in (201, 204, *REFUSALS):
            ledger.problem(f"upload: {status} {body!r}")
    status, body = client.request("POST", "/v1/publish", {**made["publish"], "lane": "tight"})
    ledger.note("publish to tight", status)
    if status not in (200, 409, *REFUSALS):
        ledger.problem(f"publish to tight: {status} {body!r}")


def take_turns(client, ledger, forge):
    """Lease keys of which others lease some, too; renew, and give back or forget."""
    if ledger.runtime is None:
        time.sleep(0.01)
        return
    keys = [hashlib.sha256(b"%d" % random.randrange(50)).hexdigest() for _ in range(3)]
    body = {"runtime": ledger.runtime, "sysimage": ledger.sysimage, "keys": keys, "seconds": random.choice([0, 1, 60])}
    status, answer = client.request("POST", "/v1/leases", body)
    ledger.note("lease", status)
    if status not in (200, *REFUSALS):
        ledger.problem(f"lease: {status} {answer!r}")
    granted = json.loads(answer) if status == 200 else {}
    if granted.get("state") != "granted":
        time.sleep(0.02)
        return
    status, answer = client.request("POST", "/v1/leases", {"lease": granted["lease"], "seconds": 1})
    if status not in (200, 404, *REFUSALS):
        ledger.problem(f"renew a lease: {status} {answer!r}")
    if random.random() < 0.9:
        status, answer = client.request("DELETE", f"/v1/leases/{granted['lease']}")
        if status not in (204, 404, *REFUSALS):
            ledger.problem(f"end a lease: {status} {answer!r}")


class Load:
    """Threads that do these again and again. begin(); then end(), or doomed() before the server is killed and end() after."""

    def __init__(self, url, token, forge, ledger, pushers=3, pullers=2, uploaders=1, more=()):
        self.make = lambda: Client(url, token)
        self.forge, self.ledger = forge, ledger
        self.stopping, self.dying = threading.Event(), threading.Event()
        jobs = [push] * pushers + [pull] * pullers + [upload] * uploaders + [*more]
        self.threads = [threading.Thread(target=self.run, args=(job,), daemon=True) for job in jobs]

    def run(self, job):
        client = self.make()
        try:
            while not self.stopping.is_set():
                job(client, self.ledger, self.forge)
        except (OSError, http.client.HTTPException) as trouble:
            if not self.dying.is_set():
                self.ledger.problem(f"{job.__name__}: {trouble!r}")
        finally:
            client.close()

    def begin(self):
        for thread in self.threads:
            thread.start()
        return self

    def doomed(self):
        self.dying.set()

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(TIMEOUT_S + 10)
            assert not thread.is_alive(), "a request does not end"
