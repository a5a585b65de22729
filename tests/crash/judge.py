"""Whether a store has all that its server acknowledged, and is in order."""

import hashlib
import json
import sqlite3
import subprocess

from load import Client
from processes import bin_dir


def run(data, *words, check=True):
    """A command of jicached beside whatever serves `data`."""
    return subprocess.run([bin_dir() / "jicached", *words, "--data", data], capture_output=True, text=True, check=check,
                          stdin=subprocess.DEVNULL, timeout=300)


def prepare(data):
    """A data directory in which forged packages called Kept are never evicted. → the secret of a token"""
    secret = run(data, "token", "create", "--name", "load", "--can", "read,write", "--lanes", "*").stdout.strip()
    run(data, "pin", "Kept")
    return secret


def assert_clean(data):
    done = run(data, "fsck", "--json", check=False)
    assert done.returncode == 0, done.stdout[:2000] + done.stderr
    return json.loads(done.stdout)


def status_of(data):
    return json.loads(run(data, "status", "--json").stdout)


def blobs_of(data):
    with sqlite3.connect(f"file:{data}/index.sqlite?mode=ro", uri=True) as index:
        return {row[0].hex() for row in index.execute("SELECT digest FROM blob")}


def records_of(client, ledger, keys):
    status, body = client.resolve(ledger, keys)
    assert status == 200, body
    return {r["key"]: r["ji"]["digest"] for s in json.loads(body)["sets"] for r in s["records"]}


def assert_nothing_lost(server, token, ledger, downloads=5):
    """Of a server that runs: every pinned artefact that was acknowledged is offered, some are downloaded, uploads are there."""
    assert ledger.problems == [], ledger.problems
    assert ledger.uploads <= blobs_of(server.data)
    if not ledger.kept:
        return
    client = Client(server.url, token)
    assert records_of(client, ledger, ledger.kept) == ledger.kept
    for digest in list(ledger.kept.values())[-downloads:]:
        status, content = client.request("GET", f"/v1/blobs/{digest}")
        assert status == 200 and hashlib.sha256(content).hexdigest() == digest
    client.close()
