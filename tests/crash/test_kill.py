"""SIGKILL at random moments of pushes, pulls, uploads, eviction, backups and starts. JICACHE_TEST_ROUNDS says how often: 1,000 by hand."""

import collections
import os
import shutil
import subprocess
import time

from judge import assert_clean, assert_nothing_lost, prepare, run, status_of
from load import Ledger, Load
from processes import Server, bin_dir

ROUNDS = int(os.environ.get("JICACHE_TEST_ROUNDS", "25"))
ROUNDS_OF_A_STORE = 20  # then a new one, so that the first moments of one are hit too
START_S = 5.0           # far more than a start takes, also with sanitizers on a busy machine
LIMIT = "600k"          # of the store: some rounds fill it, so that there is eviction
QUOTAS = ("60k", "0")   # of the lane, none in every other store: publishes are refused, and make room


class Story:
    """One data directory through some rounds."""

    def __init__(self, folder, forge, chance, quota):
        self.forge, self.chance, self.ledger = forge, chance, Ledger()
        self.server = Server(folder, "--store-bytes-max", LIMIT)
        self.copy, self.restored = folder.with_suffix(".copy"), folder.with_suffix(".restored")
        self.token = prepare(folder)
        run(folder, "lane", "limit", "--name", "main", "--quota", quota)

    def start(self):
        began = time.monotonic()
        self.server.start(wait_s=START_S)
        return time.monotonic() - began

    def kill_while_starting(self):
        """A start that is cut short must not harm either."""
        self.server.launch()
        time.sleep(self.chance.uniform(0, 0.05))
        self.server.kill()

    def begin_backup(self):
        return subprocess.Popen([bin_dir() / "jicached", "backup", self.copy, "--data", self.server.data],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def check_copy(self):
        """Whatever killed it, the copy is the last that was complete, and whole."""
        if not (self.copy / "index.sqlite").exists():
            return
        run(self.restored, "restore", self.copy)
        shutil.rmtree(self.restored)

    def round(self):
        if self.chance.random() < 0.2:
            self.kill_while_starting()
        took_s = self.start()
        assert_clean(self.server.data)
        assert_nothing_lost(self.server, self.token, self.ledger)
        load = Load(self.server.url, self.token, self.forge, self.ledger).begin()
        backup = self.begin_backup()
        time.sleep(self.chance.uniform(0, 0.6))
        load.doomed()
        self.server.kill()
        if self.chance.random() < 0.5:
            backup.kill()
        _, err = backup.communicate(timeout=60)
        assert backup.returncode in (0, -9), err
        load.end()
        if self.chance.random() < 0.2:
            self.check_copy()
        return took_s

    def finish(self):
        self.start()
        assert_clean(self.server.data)
        assert_nothing_lost(self.server, self.token, self.ledger, downloads=len(self.ledger.kept))
        assert self.server.stop() == 0
        return status_of(self.server.data)["evicted_artefacts"]


def test_what_was_acknowledged_survives_kills_at_any_moment(tmp_path, forge, chance):
    answers, starts_s, evicted, acknowledged = collections.Counter(), [], 0, 0
    for first in range(0, ROUNDS, ROUNDS_OF_A_STORE):
        quota = QUOTAS[first // ROUNDS_OF_A_STORE % len(QUOTAS)]
        story = Story(tmp_path / f"store-{first}", forge, chance, quota)
        try:
            starts_s += [story.round() for _ in range(min(ROUNDS_OF_A_STORE, ROUNDS - first))]
            evicted += story.finish()
        finally:
            story.server.kill()
        acknowledged += len(story.ledger.kept) + len(story.ledger.uploads)
        answers.update(story.ledger.answers)
    print(f"{ROUNDS} kills, {acknowledged} artefacts and uploads that had to be there, {evicted} artefacts evicted, "
          f"slowest start {max(starts_s):.3f} s; {dict(answers)}")
    assert answers["publish", 200] > ROUNDS and answers["download", 200] > 0, "every kill came too early"
    assert evicted > 0 or ROUNDS < ROUNDS_OF_A_STORE, "no store was filled"
