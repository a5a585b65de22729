"""Signed by the machine that compiled, verified by those that load: nothing else is placed, and nothing of it is an error."""

import json
import os
import subprocess

import pytest
from processes import Server, bin_dir
from proxy import Proxy


class Key:
    def __init__(self, folder, name):
        folder.mkdir(exist_ok=True)
        self.file = folder / f"{name}.pem"
        done = subprocess.run([bin_dir() / "jicache", "keygen", "--out", self.file, "--name", name, "--json"],
                              capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        said = json.loads(done.stdout)
        self.public, self.id = said["public_key"], said["key_id"]

    def signs(self, machine):
        machine.extra = {**machine.extra, "JICACHE_SIGNING_KEY": str(self.file)}
        return machine


def trusts(machine, *keys):
    machine.extra = {**machine.extra, "JICACHE_TRUSTED_KEYS": " ".join(key.public for key in keys)}
    return machine


class Signed:
    """A store with one environment, signed by `key`."""

    def __init__(self, folder, julia, packages):
        from processes import Machine

        self.folder, self.key = folder, Key(folder / "keys", "ci")
        with Server(folder / "server") as running:
            self.token = running.token()
            producer = self.key.signs(Machine(folder / "producer", julia, running.url, self.token)).install(packages)
            self.loading = producer.run_load(packages)
            self.again = producer.push()
            running.stop()
        self.producer = producer


@pytest.fixture(scope="session")
def signed(tmp_path_factory, julia, small):
    return Signed(tmp_path_factory.mktemp("signed"), julia, small)


@pytest.fixture
def signed_server(signed, tmp_path):
    import shutil

    shutil.copytree(signed.folder / "server", tmp_path / "signed-server")
    with Server(tmp_path / "signed-server") as running:
        yield running


@pytest.fixture
def other(tmp_path):
    return Key(tmp_path / "other-keys", "other")


# ---- keys


def test_a_key_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    key = Key(tmp_path, "ci")
    assert os.stat(key.file).st_mode & 0o777 == 0o600
    assert key.file.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    before = key.file.read_bytes()
    again = subprocess.run([bin_dir() / "jicache", "keygen", "--out", key.file], capture_output=True, text=True)
    assert again.returncode == 1 and "never overwritten" in again.stderr and key.file.read_bytes() == before
    home = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    plain = subprocess.run([bin_dir() / "jicache", "keygen"], capture_output=True, text=True, env=home, check=True)
    name, key_id, public = plain.stdout.strip().split(":")
    assert len(key_id) == 16 and len(public) == 64 and name
    assert (tmp_path / "config/jicache/signing-key.pem").exists()
    bad = subprocess.run([bin_dir() / "jicache", "keygen", "--out", tmp_path / "x", "--name", "a b"], capture_output=True, text=True)
    assert bad.returncode == 2 and not (tmp_path / "x").exists()


@pytest.mark.parametrize("settings", [{"JICACHE_SIGNING_KEY": "/nowhere/key.pem"}, {"JICACHE_SIGNING_KEY": "-----BEGIN nonsense"},
                                      {"JICACHE_TRUSTED_KEYS": "ci:0000000000000000:" + "0" * 64}])
def test_a_wrong_key_setting_is_said_and_a_command_runs_all_the_same(machine, small, settings):
    one = machine("http://127.0.0.1:9").install(small)
    one.extra = settings
    failed = one.jicache("pull", status=1)
    assert "key" in failed.stderr
    assert "ran" in one.jicache("run", "--", "sh", "-c", "echo ran", status=None).stdout


# ---- the main job


def test_what_a_trusted_key_signed_loads_without_compiling(signed, signed_server, machine, small, other):
    assert (signed.again["published"], signed.again["superseded"]) == (0, 0), "the signer's second push has nothing to do"
    second = trusts(machine(signed_server.url), other, signed.key).install(small, project="elsewhere/my analysis")
    pulled = second.pull("--require")
    assert (pulled["fetched"], pulled["missing"]) == (pulled["packages"], 0) and "distrusted" not in pulled
    loading = second.load(small)
    loading.assert_loaded(small)
    loading.assert_nothing_compiled()
    assert loading.made == signed.loading.made
    expect_signer(second, small, signed.key)


def expect_signer(one, small, key):
    """Whose the artefacts are is told by name, and only where a key was demanded."""
    name = small.packages[0].name
    signers = {node["name"]: node["signer"] for node in one.report("status")["nodes"]}
    assert signers[name] == f"ci ({key.id})" and len(set(signers.values())) == 1
    assert f"yes, signed by ci ({key.id})" in one.jicache("status").stdout
    assert f"{name} is here, fetched earlier, signed by ci ({key.id})" in one.jicache("why", name).stdout
    one.extra = {}
    assert all("signer" not in node for node in one.report("status")["nodes"])
    assert "signed" not in one.jicache("why", name).stdout


def expect_all_distrusted(one, small, word):
    pulled = one.pull()
    assert pulled["fetched"] == 0 and pulled["missing"] >= len(small.packages) and pulled["server"] == "reached"
    assert {d["name"] for d in pulled["distrusted"]} >= set(small.names())
    assert any(word in d["reason"] for d in pulled["distrusted"]), pulled["distrusted"]
    assert one.caches() == set()
    return pulled


def test_what_another_key_signed_is_a_miss_that_why_explains(signed_server, machine, small, other, signed):
    one = trusts(machine(signed_server.url), other).install(small)
    expect_all_distrusted(one, small, f"signed by the key {signed.key.id}")
    why = one.report("why")
    assert {cause["kind"] for cause in why["causes"]} == {"distrusted"}
    assert "trusted_keys" in why["causes"][0]["remedy"]


def test_what_is_not_signed_is_a_miss_and_julia_compiles(small_server, machine, small, other):
    one = trusts(machine(small_server.url), other).install(small)
    expect_all_distrusted(one, small, "not signed")
    loading = one.run_load(small)
    loading.assert_loaded(small)
    assert set(loading.compiled) >= set(small.names())


# ---- a server that lies

CHANGES = {
    "key": lambda r: r.update(key=flip(r["key"])),
    "name": lambda r: r.update(name=r["name"] + "x"),
    "uuid": lambda r: r.update(uuid=flip(r["uuid"])),
    "build_id": lambda r: r.update(build_id=flip(r["build_id"], -1)),
    "ji digest": lambda r: r["ji"].update(digest=flip(r["ji"]["digest"])),
    "ji size": lambda r: r["ji"].update(size=r["ji"]["size"] + 1),
    "image": lambda r: r.pop("image") if "image" in r else r.update(image={"digest": "0" * 64, "size": 1}),
    "inputs": lambda r: r.update(inputs=[{"type": "absent", "path": "@depot/x"}]),
    "host": lambda r: r["provenance"].update(host="x"),
    "user": lambda r: r["provenance"].update(user="x"),
    "run": lambda r: r["provenance"].update(run="x"),
    "client": lambda r: r["provenance"].update(client="x"),
    "created_s": lambda r: r["provenance"].update(created_s=1),
    "no provenance": lambda r: r.pop("provenance"),
    "signed requirements": lambda r: r["signature"].update(requires=flip(r["signature"]["requires"])),
    "signature": lambda r: r["signature"].update(bytes=flip(r["signature"]["bytes"])),
    "no signature": lambda r: r.pop("signature"),
}


def flip(text, at=0):
    letters = list(text)
    letters[at] = "1" if letters[at] == "0" else "0"
    return "".join(letters)


def records(answer):
    return [r for s in answer["sets"] for r in s["records"]]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_record_is_never_placed(signed, signed_server, machine, small, change):
    def answer(a):
        for record in records(a):
            CHANGES[change](record)
        return a

    with Proxy(signed_server.url, answer) as proxy:
        one = trusts(machine(proxy.url), signed.key).install(small)
        pulled = one.pull()
    assert pulled["fetched"] == 0 and pulled["missing"] >= len(small.packages)
    assert pulled.get("distrusted") or pulled["warnings"] or change == "key"  # which then is nobody's
    assert one.caches() == set()


def test_requirements_that_the_server_changes_are_never_placed(signed, signed_server, machine, small):
    def answer(a):
        for record in records(a):
            record["requires"] = []
        return a

    with Proxy(signed_server.url, answer) as proxy:
        one = trusts(machine(proxy.url), signed.key).install(small)
        pulled = one.pull()
    bare = {package.name for package in small.packages if not package.deps}
    # Files: the folder is there as soon as its lock was taken (1.10+).
    assert {path.parent.name for path in one.caches()} <= bare
    assert {u["name"] for u in pulled["unusable"]} >= set(small.names()) - bare


def test_a_signed_record_under_another_address_is_never_placed(signed, signed_server, machine, small):
    def answer(a):
        for s in a["sets"]:
            keys = [r["key"] for r in s["records"]]
            for record, key in zip(s["records"], keys[1:] + keys[:1]):
                record["key"] = key
        return a

    with Proxy(signed_server.url, answer) as proxy:
        one = trusts(machine(proxy.url), signed.key).install(small)
        expect_all_distrusted(one, small, "not one of what the record says")


def test_one_bad_record_takes_only_what_stands_on_it(signed, signed_server, machine, small):
    victim = next(p for p in small.packages if small.dependents(p.name) and len(small.dependents(p.name)) < len(small.packages) - 1)
    lost = {victim.name} | set(small.dependents(victim.name))

    def answer(a):
        for record in records(a):
            if record["name"] == victim.name:
                record.pop("signature")
        return a

    with Proxy(signed_server.url, answer) as proxy:
        one = trusts(machine(proxy.url), signed.key).install(small)
        pulled = one.pull()
    assert {d["name"].split("/")[0] for d in pulled["distrusted"]} >= lost
    assert pulled["fetched"] > 0
    loading = one.load(small)
    loading.assert_loaded(small)
    assert set(loading.compiled) & set(small.names()) == lost


def test_a_server_that_ignores_the_keys_gives_nothing_untrusted(small_server, machine, small, other):
    def ask(question):
        question.pop("signers", None)
        return question

    with Proxy(small_server.url, ask=ask) as proxy:
        one = trusts(machine(proxy.url), other).install(small)
        expect_all_distrusted(one, small, "not signed")


# ---- who signs verifies


def test_a_machine_that_signs_neither_takes_nor_signs_what_is_unsigned(small_server, machine, small, other):
    first = machine(small_server.url).install(small)
    first.pull("--require")  # fetched without asking for signatures
    signer = other.signs(first)
    signer.token = small_server.writer
    pushed = signer.push()
    assert pushed["published"] == 0
    assert any("not compiled here" in r["reason"] for r in pushed["refused"])
    fresh = other.signs(machine(small_server.url)).install(small)
    expect_all_distrusted(fresh, small, "not signed")


# ---- recalls


def test_a_recall_reaches_machines_that_have_it(signed, signed_server, machine, small):
    one = machine(signed_server.url).install(small)
    one.pull("--require")
    assert one.report("verify")["recalled"] == 0
    recall = [bin_dir() / "jicached", "recall", "--data", signed_server.data, "--by", signed.key.id]
    said = subprocess.run(recall, capture_output=True, text=True, check=True)
    assert "would be recalled" in said.stdout and one.report("verify")["recalled"] == 0
    subprocess.run([*recall, "--yes"], capture_output=True, check=True)

    verified = one.report("verify", status=1)
    assert verified["recalled"] == verified["local"] > 0
    pulled = one.pull()
    assert set(pulled["recalled_packages"]) >= set(small.names()) and pulled["missing"] >= len(small.packages)
    assert one.caches() == set()
    loading = one.load(small)
    assert set(loading.compiled) >= set(small.names())

    back = signed.producer  # still has them, and may not bring them back
    back.url = signed_server.url
    pushed = back.push()
    assert pushed["published"] == 0 and len(pushed["refused"]) >= len(small.packages)
