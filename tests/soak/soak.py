"""python3 tests/soak/soak.py [MINUTES]: 64 clients push, pull, upload, take leases and fill a lane with a quota while the store evicts,
backs up and checks itself.

By hand, against a server under AddressSanitizer (JICACHE_BIN_DIR=build/asan/bin) and one under ThreadSanitizer (build/tsan/bin,
with JICACHE_FORGE naming forge_stream of a build with tests). Fails on a sanitizer's report, an answer that must not be, lost artefacts, a
finding of fsck, and memory that grows: the last third may not need an eighth more than the middle one.
"""

import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/crash")]

from judge import assert_clean, assert_nothing_lost, prepare, run, status_of  # noqa: E402
from load import Forge, Ledger, Load, squeeze, take_turns  # noqa: E402
from processes import Server  # noqa: E402

SAMPLE_S = 2
GROWTH_MAX = 1.125


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def watch(server, minutes, copy):
    """Sample the memory, and now and then copy and check the store beside all that. → KiB"""
    samples, end, number = [], time.monotonic() + minutes * 60, 0
    while time.monotonic() < end:
        time.sleep(SAMPLE_S)
        assert server.process.poll() is None, "".join(server.output)[-8000:]
        samples.append(resident_kib(server.process))
        number += 1
        if number % 15 == 0:
            run(server.data, "backup", copy)
        if number % 40 == 0:
            assert_clean(server.data)
    return samples


def judge_memory(samples):
    third = len(samples) // 3
    middle, last = statistics.median(samples[third:2 * third]), statistics.median(samples[2 * third:])
    print(f"memory: {samples[0]} KiB at the start, {middle:.0f} in the middle, {last:.0f} at the end")
    assert last <= middle * GROWTH_MAX, f"memory grows: {samples}"


def soak(folder, minutes):
    forge, ledger = Forge(time.time_ns() % 100000), Ledger()
    token = prepare(folder / "data")
    run(folder / "data", "lane", "create", "--name", "tight", "--parent", "main", "--quota", "200k")
    with Server(folder / "data", "--store-bytes-max", f"{int(max(1000, 400 * minutes))}k") as server:
        load = Load(server.url, token, forge, ledger, pushers=20, pullers=30, uploaders=4, more=[squeeze] * 4 + [take_turns] * 6).begin()
        samples = watch(server, minutes, folder / "copy")
        load.end()
        forge.close()
        assert_nothing_lost(server, token, ledger, downloads=200)
        status = server.stop()
        output = "".join(server.output)
        assert status == 0 and "Sanitizer" not in output and "runtime error" not in output, output[-8000:]
    assert_clean(folder / "data")
    evicted = status_of(folder / "data")["evicted_artefacts"]
    assert minutes < 2 or evicted > 0, "nothing was evicted: the store is too large"
    for what in ("publish to tight", "lease"):
        assert ledger.answers[what, 200] > 0, ledger.answers
    print(f"{minutes} minutes; {ledger.answers}; {evicted} artefacts evicted")
    judge_memory(samples)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        soak(pathlib.Path(made), float(sys.argv[1]) if len(sys.argv) > 1 else 20)
