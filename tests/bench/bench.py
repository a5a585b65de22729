"""Benchmarks, by hand: bench.py [NAME…]. Prints figures and ratios; asserts nothing.

    keys     key computation and a pull when everything is local, for real manifests
    pull     a pull of 200 artefacts of real sizes, as a ratio to curl and tar with one archive of the same bytes
    get      GET of one blob, as a ratio to nginx with the same file
    resolve  resolve of 300 keys in a store of 100,000 artefacts
    memory   the server's memory at 200 connections

Needs a release build (JICACHE_BIN_DIR, default build/release/bin) and the packages of the group bench in deploy/packages.
"""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import resource
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
os.environ.setdefault("JICACHE_BIN_DIR", str(ROOT / "build/release/bin"))

import workload
from environment import Julia
from processes import Machine, Server, bin_dir

KEYS_LARGEST = ("sciml-sde-format1", "sciml-bayesian-1.10")


def median(values):
    return statistics.median(values)


def with_cpu(action):
    """(what it gave, wall seconds, processor seconds of the processes that it waited for)."""
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    cpu, start = used(), time.perf_counter()
    given = action()
    return given, time.perf_counter() - start, used() - cpu


def timed_ms(command, env, rounds):
    """Median wall time of a command, its process start included."""
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([str(word) for word in command], env=env, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        took.append((time.perf_counter() - start) * 1000)
    return median(took)


def test_julia():
    path = subprocess.run([ROOT / "tests/julia"], check=True, capture_output=True, text=True).stdout.strip()
    return Julia.ask(path)


@contextlib.contextmanager
def nginx(folder):
    """nginx with sendfile on a free port, one worker a processor; its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as state:
        config = pathlib.Path(state) / "nginx.conf"
        config.write_text(f"""daemon off; pid {state}/pid; error_log {state}/error; worker_processes auto;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/octet-stream;
  client_body_temp_path {state}/b; proxy_temp_path {state}/p; fastcgi_temp_path {state}/f; uwsgi_temp_path {state}/u;
  scgi_temp_path {state}/s; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
{'user root;' if os.geteuid() == 0 else ''}
""")
        process = subprocess.Popen(["nginx", "-c", config], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


# ---- keys


def bench_keys(work):
    julia = test_julia()
    nothing = timed_ms([bin_dir() / "jicache", "--version"], None, 20)
    for name in KEYS_LARGEST:
        machine = workload.manifest_machine(workload.SHARED / "corpus/manifests" / name, julia)
        nodes = machine.report("key")["nodes"]
        local = machine.pull()
        key = timed_ms(machine.command("key", "--json"), machine.env(), 30)
        pull = timed_ms(machine.command("pull"), machine.env(), 30)
        print(f"keys    {name}: {len(nodes)} nodes, {local['local']} of {local['packages']} local: "
              f"key {key:.1f} ms, pull {pull:.1f} ms (of which starting the program {nothing:.1f} ms; aim 10 ms)")


# ---- pull


def archive_of(machine, folder):
    archive = folder / "all.tar.zst"
    subprocess.run(f"tar -C '{machine.depot}' -c compiled | zstd -q -3 -T0 -o '{archive}'", shell=True, check=True)
    return archive


def bench_pull(work):
    producer, packages = workload.large_machine(test_julia())
    files = [path for path in producer.caches()]
    with Server(work / "data") as server:
        producer.url, producer.token = server.url, server.token()
        start = time.perf_counter()
        pushed = producer.push()
        push_s = time.perf_counter() - start
        print(f"pull    {len(files)} files, {sum(f.stat().st_size for f in files) / 1e6:.0f} MB; push of {pushed['published']} "
              f"took {push_s:.2f} s and sent {pushed['bytes_sent'] / 1e6:.0f} MB")
        archive = archive_of(producer, work)
        with nginx(work) as url:
            rounds = [(one_pull(work / f"machine-{number}", producer, packages, server),
                       one_archive(work / f"plain-{number}", f"{url}/{archive.name}", ""),
                       one_archive(work / f"synced-{number}", f"{url}/{archive.name}", "&& sync -f .")) for number in range(5)]
    wall = [median(took[0] for took in column) for column in zip(*rounds)]
    cpu = [median(took[1] for took in column) for column in zip(*rounds)]
    print(f"pull    {wall[0]:.2f} s ({cpu[0]:.2f} s of processor); curl + zstd + tar of one archive of "
          f"{archive.stat().st_size / 1e6:.0f} MB {wall[1]:.2f} s ({cpu[1]:.2f} s), with sync {wall[2]:.2f} s: ratio "
          f"{wall[0] / wall[1]:.2f}, with sync {wall[0] / wall[2]:.2f} (aim 1.3)")


def one_pull(folder, producer, packages, server):
    """(wall, processor) seconds of a pull by a machine that has asked its Julia before."""
    machine = Machine(folder, producer.julia, server.url).install(packages)
    machine.jicache("key")
    os.sync()
    report, *took = with_cpu(machine.pull)
    assert report["missing"] == 0, report
    shutil.rmtree(folder)
    return took


def one_archive(folder, url, after):
    folder.mkdir()
    os.sync()
    _, *took = with_cpu(lambda: subprocess.run(f"curl -sS '{url}' | zstd -q -dc | tar -x {after}", shell=True, check=True, cwd=folder))
    shutil.rmtree(folder)
    return took


# ---- get


def put_blob(server, token, data):
    digest = hashlib.sha256(data).hexdigest()
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.request("PUT", f"/v1/blobs/{digest}", data, {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status in (200, 201, 204), (answer.status, text)
    return digest


def requests_per_s(url, *headers):
    command = ["wrk", "-t", "1", "-c", "16", "-d", "5s", *(word for header in headers for word in ("-H", header)), url]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in out, out
    return float(next(line.split()[1] for line in out.splitlines() if line.startswith("Requests/sec")))


def bench_get(work):
    """Neither of the two logs requests: here it is this program that would have to read them. Nor counts them: wrk is one client
    that asks more often than any may."""
    with Server(work / "data", "--log-level", "warn", "--anonymous-requests-per-minute", "0") as server:
        token = server.token()
        for label, size in (("1 MiB", 1 << 20), ("64 KiB", 1 << 16)):
            digest = put_blob(server, token, os.urandom(size))
            stored = next(path for path in (work / "data").rglob("*") if path.is_file() and digest[4:] in str(path).replace("/", ""))
            with nginx(stored.parent) as url:
                ratios, rates = [], []
                for _ in range(3):
                    ours = requests_per_s(f"{server.url}/v1/blobs/{digest}", "Accept-Encoding: zstd")
                    theirs = requests_per_s(f"{url}/{stored.name}")
                    ratios.append(ours / theirs)
                    rates.append((ours, theirs))
            ours, theirs = rates[ratios.index(median(ratios))]
            print(f"get     {label}: {ours:.0f}/s, nginx {theirs:.0f}/s: ratio {median(ratios):.2f} (aim 1.0)")


# ---- resolve


ARTEFACTS, ASKED = 100_000, 300


def multiply(database, count):
    """Fill the index with copies of its artefacts under other keys; each copy requires what its model requires."""
    index = sqlite3.connect(database)
    columns = [row[1] for row in index.execute("PRAGMA table_info(artefact)") if row[1] not in ("id", "key")]
    listed = ", ".join(columns)
    index.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                  f"INSERT INTO artefact (key, {listed}) SELECT randomblob(32), {listed} FROM n, artefact LIMIT ?", (count, count))
    index.execute("INSERT OR IGNORE INTO provider SELECT (SELECT module FROM provider p JOIN artefact m ON m.id = p.artefact "
                  "WHERE m.ji = a.ji LIMIT 1), a.id FROM artefact a")
    index.commit()
    keys = [row[0].hex() for row in index.execute("SELECT key FROM artefact ORDER BY random() LIMIT ?", (ASKED,))]
    total = index.execute("SELECT count(*) FROM artefact").fetchone()[0]
    index.close()
    return keys, total


def bench_resolve(work):
    producer, _ = workload.large_machine(test_julia())
    with Server(work / "data") as server:
        producer.url, producer.token = server.url, server.token()
        producer.push()
        report = producer.report("key")
        server.stop()
        known = [node["key"] for node in report["nodes"] if node["state"] == "shared"]
        keys, total = multiply(next((work / "data").glob("*.sqlite*")), ARTEFACTS)
        server.start()
        keys = (known + keys)[:ASKED]
        body = json.dumps({"sysimage": report["sysimage"], "runtimes": report["runtimes"], "keys": keys})
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        took, answer = [], b""
        for _ in range(200):
            start = time.perf_counter()
            connection.request("POST", "/v1/resolve", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            answer = reply.read()
            took.append((time.perf_counter() - start) * 1000)
            assert reply.status == 200, answer
    found = sum(len(set_["records"]) for set_ in json.loads(answer)["sets"])
    took.sort()
    print(f"resolve {ASKED} keys, {found} found, among {total}: median {median(took):.1f} ms, 99% {took[197]:.1f} ms")


# ---- memory


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def bench_memory(work):
    with Server(work / "data") as server:
        digest = put_blob(server, server.token(), os.urandom(8 << 20))
        idle = resident_kib(server.process)
        address = server.url.removeprefix("http://").split(":")
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.create_connection((address[0], int(address[1])))) for _ in range(200)]
            for client in clients:  # a download that nobody reads on: the connection stays busy
                client.sendall(f"GET /v1/blobs/{digest} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: zstd\r\n\r\n".encode())
            for client in clients:
                client.recv(1000)
            busy = resident_kib(server.process)
    print(f"memory  {idle / 1024:.1f} MiB idle, {busy / 1024:.1f} MiB with 200 connections in the middle of a download")


BENCHES = {name[6:]: function for name, function in list(globals().items()) if name.startswith("bench_")}


def main(names):
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(__doc__, file=sys.stderr)
        return 2
    for name in names or BENCHES:
        with tempfile.TemporaryDirectory(prefix="jicache-bench.") as work:
            BENCHES[name](pathlib.Path(work))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
