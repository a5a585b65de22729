"""Copies of a store that is in use: whatever was acknowledged before one began is in it, and it is in order."""

import json
import os
import shutil
import time

from judge import assert_clean, assert_nothing_lost, blobs_of, prepare, run
from load import Ledger, Load
from processes import Server


def frozen(ledger):
    """What has been acknowledged until now."""
    now = Ledger()
    with ledger.lock:
        now.runtime, now.sysimage = ledger.runtime, ledger.sysimage
        now.kept, now.uploads = dict(ledger.kept), set(ledger.uploads)
    return now


def backup(data, folder):
    return json.loads(run(data, "backup", folder, "--json").stdout)


def assert_restores(folder, target, token, ledger):
    run(target, "restore", folder)
    with Server(target) as server:
        assert_clean(target)
        assert_nothing_lost(server, token, ledger)


def test_a_copy_made_under_load_has_what_was_acknowledged(tmp_path, forge):
    data, ledger = tmp_path / "data", Ledger()
    token = prepare(data)
    with Server(data, "--store-bytes-max", "200k") as server:
        load = Load(server.url, token, forge, ledger).begin()
        for number in range(4):
            time.sleep(0.7)
            before = frozen(ledger)
            assert before.kept
            backup(data, tmp_path / "copy")
            assert_restores(tmp_path / "copy", tmp_path / f"restored-{number}", token, before)
        load.end()
        assert server.stop() == 0
    assert ledger.problems == [] and ledger.answers["upload", 507] > 0, "nothing was evicted"


def test_a_second_copy_writes_only_what_is_new(tmp_path, forge):
    data, ledger, copy = tmp_path / "data", Ledger(), tmp_path / "copy"
    token = prepare(data)
    with Server(data) as server:
        load = Load(server.url, token, forge, ledger).begin()
        time.sleep(0.5)
        load.end()
        first, second = backup(data, copy), backup(data, copy)
        assert first["fresh"] == first["blobs"] == len(blobs_of(data)) > 10
        assert (second["fresh"], second["removed"], second["blobs"]) == (0, 0, first["blobs"])
        [one] = list(ledger.uploads)[:1]
        assert os.stat(data / f"blobs/{one[:2]}/{one[2:]}.zst").st_nlink == 2, "a second name of the same file"
    assert_restores(copy, tmp_path / "restored", token, ledger)


def test_what_the_store_gave_up_leaves_the_copy(tmp_path, forge):
    data, ledger, copy = tmp_path / "data", Ledger(), tmp_path / "copy"
    token = prepare(data)
    with Server(data, "--store-bytes-max", "100k") as server:
        load = Load(server.url, token, forge, ledger, uploaders=0).begin()
        while not ledger.loose:
            time.sleep(0.05)
        backup(data, copy)
        before = blobs_of(copy)
        time.sleep(1.5)
        load.end()
        after = backup(data, copy)
    files = {path.parent.name + path.stem for path in copy.glob("blobs/*/*.zst")}
    assert after["removed"] > 0 and files == blobs_of(copy) and before - files


def test_another_disk_gets_copies(tmp_path, forge):
    """What can't be linked is copied."""
    data, ledger = tmp_path / "data", Ledger()
    token = prepare(data)
    with Server(data) as server:
        load = Load(server.url, token, forge, ledger).begin()
        time.sleep(0.3)
        load.end()
    other = next((path for path in ("/dev/shm", "/var/tmp") if os.stat(path).st_dev != os.stat(tmp_path).st_dev), None)
    assert other, "there is one disk only"
    folder = f"{other}/jicache-test-{os.getpid()}"
    try:
        made = backup(data, folder)
        assert made["fresh"] == made["blobs"] > 0
        assert_restores(folder, tmp_path / "restored", token, ledger)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_damage_of_a_copy_is_said_when_it_is_restored(tmp_path):
    data, copy = tmp_path / "data", tmp_path / "copy"
    token = prepare(data)
    with Server(data) as server:
        load = Load(server.url, token, None, ledger := Ledger(), pushers=0, pullers=0).begin()
        while not ledger.uploads:
            time.sleep(0.05)
        load.end()
    backup(data, copy)
    [damaged, *_] = copy.glob("blobs/*/*.zst")
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.unlink()
    damaged.write_bytes(content)
    done = run(tmp_path / "restored", "restore", copy, check=False)
    assert done.returncode == 1 and "restored, with 1 findings" in done.stderr
    assert_clean(data)


def test_places_that_will_not_do(tmp_path):
    data = tmp_path / "data"
    prepare(data)
    refused = lambda where, *words: run(where, *words, check=False).stderr
    assert "is the data directory itself" in refused(data, "backup", data)
    assert "has no backup" in refused(tmp_path / "new", "restore", tmp_path / "nothing")
    assert not (tmp_path / "new").exists()
    run(data, "backup", tmp_path / "copy")
    assert "has a store already" in refused(data, "restore", tmp_path / "copy")
    assert "no such data directory" in refused(tmp_path / "nothing", "backup", tmp_path / "copy")
    with Server(tmp_path / "copy") as server:
        assert "another jicached writes there" in refused(data, "backup", tmp_path / "copy")
        server.token("one")
        server.kill()
        assert "was served from" in refused(data, "backup", tmp_path / "copy")
        assert "was served from" in refused(tmp_path / "new", "restore", tmp_path / "copy")
        server.start()
        assert server.stop() == 0
    run(data, "backup", tmp_path / "copy")
