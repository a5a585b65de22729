"""What real Julia wrote, published from where it was made, pulled by the real client into another place, and judged there by
Julia's own decision list."""

import shutil
import struct

import pytest

import ji_file
from corpus import FLAGS, VERSIONS, CorpusMachine, Maker, caches
from conftest import make_token
from processes import Server
from proxy import Proxy

CASES = [(version, args) for version in VERSIONS for args in FLAGS]
MADE_FOR_ALL_FLAGS = {"GoldBase", "GoldMid"}
IDS = [f"{version} {args[0] if args else 'default'}" for version, args in CASES]


def known_packages(version):
    """Name -> UUID of the corpus's packages."""
    modules = [ji_file.parse(path.read_bytes()).modules[0] for path in caches(version)]
    return {module.name: module.uuid for module in modules}


@pytest.fixture
def url(start):
    api = start()
    return api.server.url, make_token(api.server, "ci", "read,write")


@pytest.mark.parametrize("version, args", CASES, ids=IDS)
def test_what_was_compiled_elsewhere_is_loaded_here(url, tmp_path, version, args):
    with Maker(tmp_path / "maker", version, url=url[0], token=url[1]) as maker:
        maker.julia_args = list(args)
        everything = known_packages(version)
        loads = {name for name, uuid in everything.items() if maker.session().load(name, uuid)[0]}
        pushed = maker.push()
    assert loads == (MADE_FOR_ALL_FLAGS if args else set(everything)), "where it was made, what was made for these flags loads"
    user = CorpusMachine(tmp_path / "user", version, url=url[0])
    user.julia_args = list(args)
    report = user.pull()
    assert report["fetched"] == pushed["published"] == len(loads), report
    session = user.session()
    for name in loads:
        path, rejected = session.load(name, everything[name])
        assert path and not rejected, f"{name}: {rejected}"
        assert not [text for text in ("/home/ci", maker.place) if str(text).encode() in path.read_bytes()[:ji_file.parse(
            path.read_bytes()).marks["data"]]]


def test_a_publish_may_wait_for_those_of_others(url, tmp_path):
    """Longer than any other request: a server with many writers answers 503 after eight seconds, if it did not begin."""
    with Proxy(url[0], silent={"/v1/publish": 12}) as proxy, Maker(tmp_path / "maker", "1.10.5", url=proxy.url, token=url[1]) as maker:
        report = maker.push()
    assert report["published"] == len(known_packages("1.10.5")) and report["warnings"] == []


def test_the_judge_refuses_what_was_only_copied(tmp_path):
    with Maker(tmp_path / "maker", "1.10.5") as maker:
        user = CorpusMachine(tmp_path / "user", "1.10.5")
        shutil.copytree(maker.depot / "compiled", user.depot / "compiled")
        name, uuid = "GoldBase", known_packages("1.10.5")["GoldBase"]
        path, rejected = user.session().load(name, uuid)
    assert path is None and "is for another file" in rejected.values()


# ---- every file of the corpus, harmed

def patched(data, at, form, change):
    changed = bytearray(data)
    struct.pack_into("<" + form, changed, at, change(struct.unpack_from("<" + form, data, at)[0]))
    return ji_file.sealed(bytes(changed))


def in_prefix(data, old):
    at = data.index(old)
    return ji_file.sealed(data[:at] + bytes([old[0] ^ 1]) + data[at + 1:])


def first_path(data, replacement):
    at, length = ji_file.parse(data).paths[0]
    return ji_file.sealed(data[:at] + (replacement * length)[:length] + data[at + length:])


HARMS = {
    "empty": lambda d, ji: b"",
    "cut in the prefix": lambda d, ji: d[:20],
    "cut before the modules": lambda d, ji: d[:ji.marks["modules"]],
    "cut in the dependencies": lambda d, ji: d[:ji.marks["dependencies"] + 30],
    "cut before the required modules": lambda d, ji: ji_file.sealed(d[:ji.marks["required"]]),
    "cut before the source text": lambda d, ji: ji_file.sealed(d[:ji.marks["text"]]),
    "one byte short": lambda d, ji: d[:-1],
    "one byte more": lambda d, ji: d + b"x",
    "one byte more, sealed": lambda d, ji: ji_file.sealed(d + b"x"),
    "a bit of the source text": lambda d, ji: d[:-20] + bytes([d[-20] ^ 1]) + d[-19:],
    "another magic": lambda d, ji: ji_file.sealed(b"x" + d[1:]),
    "another version": lambda d, ji: in_prefix(d, ji.version.encode()),
    "another commit": lambda d, ji: in_prefix(d, ji.commit.encode()),
    "other flags": lambda d, ji: patched(d, ji.marks["modules"] - 1, "B", lambda n: n ^ 0x28),
    "another checksum": lambda d, ji: patched(d, ji.marks["modules"] - 25, "Q", lambda n: n ^ 1),
    "no package's checksum": lambda d, ji: patched(d, ji.marks["modules"] - 25, "Q", lambda n: n ^ 1 << 40),
    "a name of 2 GiB": lambda d, ji: patched(d, ji.marks["modules"], "i", lambda n: 0x7FFFFFFF),
    "a name of negative length": lambda d, ji: patched(d, ji.marks["modules"], "i", lambda n: -n),
    "another name": lambda d, ji: patched(d, ji.marks["modules"] + 4, "B", lambda n: n ^ 1),
    "another UUID": lambda d, ji: patched(d, ji.marks["dependencies"] - 20, "Q", lambda n: n ^ 1),
    "another length of the dependencies": lambda d, ji: patched(d, ji.marks["dependencies"], "Q", lambda n: n + 1),
    "another entry file": lambda d, ji: first_path(d, b"/etc/passwd"),
    "an entry file outside": lambda d, ji: first_path(d, b"@depot/../../../../"),
    "another preferences hash": lambda d, ji: patched(d, ji.marks["required"] - 16, "Q", lambda n: n ^ 1),
    "source text behind the end": lambda d, ji: patched(d, ji.marks["required"] - 8, "Q", lambda n: n + 2**40),
    "another system image": lambda d, ji: patched(d, ji.marks["required"] + 4 + len("Core") + 16, "Q", lambda n: n ^ 1),
    "an image's checksum": lambda d, ji: patched(d, len(d) - 8, "I", lambda n: n ^ 1),
}


UNNOTICED = {"another checksum"}  # by Julia, until a dependent asks for the build id that the header claims
NO_HARM = "nothing"  # last: what is published once would be no news afterwards
IMAGE_HARMS = {
    "no image": lambda path: path.unlink(),
    "an empty image": lambda path: path.write_bytes(b""),
    "an image cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "an image of another": lambda path: path.write_bytes(path.read_bytes()[::-1]),
}


@pytest.fixture(scope="module", params=VERSIONS)
def maker(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("harmed")
    with Server(folder / "data") as server, Maker(folder, request.param, url=server.url, token=server.token()) as machine:
        kept = {path: path.read_bytes() for path in machine.depot.glob("compiled/*/*/*")}
        yield machine, kept


@pytest.fixture(params=[*HARMS, *IMAGE_HARMS, NO_HARM])
def harmed(request, maker):
    """The maker's depot with one harm done to every file in it."""
    machine, kept = maker
    harm = request.param
    for path, data in kept.items():
        path.unlink(missing_ok=True)  # a file of Julia's is replaced, never written over
        path.write_bytes(data)
    for path, data in kept.items():
        if harm in HARMS and path.suffix == ".ji":
            path.write_bytes(HARMS[harm](data, ji_file.parse(data)))
        if harm in IMAGE_HARMS and path.suffix == ".so":
            IMAGE_HARMS[harm](path)
    return machine, harm


def judged(machine, known):
    """Files that the judge lets load, files that it rejects."""
    loaded, rejected = set(), set()
    for name, uuid in known.items():
        path, refused = machine.session().load(name, uuid)
        rejected |= {str(file) for file in refused}
        loaded |= {str(path)} if path else set()
    return loaded, rejected


def test_the_client_judges_each_harmed_file_as_julia_would(harmed):
    machine, harm = harmed
    loaded, rejected = judged(machine, known_packages(machine.version))
    report = machine.report("verify", status=None)
    assert {file["file"] for file in report["files"] if file["loaded"]} == loaded, harm
    assert not rejected & {file["file"] for file in report["files"] if file["accepted"]}, harm
    assert machine.push()["published"] == (len(loaded) if harm == NO_HARM else 0), harm
    assert not loaded or harm in (NO_HARM, *UNNOTICED)
