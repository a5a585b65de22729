"""The power goes at random moments: everything since the last sync may be lost, and the store has what was acknowledged."""

import os
import time

import pytest
from judge import assert_clean, assert_nothing_lost, prepare
from load import Ledger, Load
from power import WAYS, disk_after, write_disk
from preload import preload
from processes import Server

CUTS = int(os.environ.get("JICACHE_TEST_CUTS", "12"))
LIMIT = "150k"


class LedgerOfALog(Ledger):
    """Remembers how long the log was when something was acknowledged: whatever it relied on was done before."""

    def __init__(self, log):
        super().__init__()
        self.log, self.kept_at, self.uploads_at = log, {}, {}

    def until(self, end):
        """What was acknowledged before the log had `end` bytes."""
        ledger = Ledger()
        ledger.runtime, ledger.sysimage = self.runtime, self.sysimage
        ledger.kept = {key: self.kept[key] for key, at in self.kept_at.items() if at <= end}
        ledger.uploads = {digest for digest, at in self.uploads_at.items() if at <= end}
        return ledger

    def published(self, made):
        super().published(made)
        if made["keep"]:
            length = os.path.getsize(self.log)
            for artefact in made["publish"]["artefacts"]:
                self.kept_at.setdefault(artefact["key"], length)

    def uploaded(self, digest):
        super().uploaded(digest)
        self.uploads_at.setdefault(digest, os.path.getsize(self.log))


@pytest.fixture
def recorded(tmp_path, forge, monkeypatch):
    """A store from its first moment through some seconds of load. → its log, its ledger, where it was, the token"""
    log, disk = tmp_path / "log", tmp_path / "disk"
    disk.mkdir()
    with monkeypatch.context() as patched:
        for name, value in preload(disk, log=log).items():
            patched.setenv(name, value)
        token = prepare(disk / "data")
        ledger = LedgerOfALog(log)
        prepared = os.path.getsize(log)
        with Server(disk / "data", "--store-bytes-max", LIMIT) as server:
            load = Load(server.url, token, forge, ledger, pushers=2, pullers=1).begin()
            time.sleep(2)
            load.doomed()
            server.kill()
            load.end()
    return log, prepared, ledger, token


def check(folder, ledger, token):
    with Server(folder / "data", "--store-bytes-max", LIMIT) as server:
        assert_clean(server.data)
        assert_nothing_lost(server, token, ledger)


def test_what_was_acknowledged_survives_a_power_cut(recorded, tmp_path, chance):
    log, prepared, ledger, token = recorded
    assert ledger.problems == [] and ledger.answers["publish", 200] > 5, ledger.answers
    length = os.path.getsize(log)
    ends = [prepared, length] + [chance.randrange(prepared, length) for _ in range(CUTS - 2)]
    for number, end in enumerate(ends):
        disk = disk_after(log, end)
        for way in WAYS:
            folder = tmp_path / f"cut-{number}-{way}"
            write_disk(disk.lost(way, chance), folder)
            check(folder, ledger.until(end), token)
    print(f"{len(ends)} moments of a log of {length} bytes, {len(WAYS)} ways each; {len(ledger.kept)} artefacts at the end")


def test_a_power_cut_while_a_store_is_made_leaves_one_that_starts(recorded, tmp_path, chance):
    log, prepared, _, _ = recorded
    for number in range(CUTS):
        disk = disk_after(log, chance.randrange(prepared))
        for way in WAYS:
            folder = tmp_path / f"cut-{number}-{way}"
            write_disk(disk.lost(way, chance), folder)
            with Server(folder / "data") as server:
                assert_clean(server.data)
