"""Lanes from one server to another that can't reach it, by way of a tar file; both serve meanwhile."""

import array
import fcntl
import io
import json
import sqlite3
import subprocess
import tarfile
import termios
import threading

import pytest
from conftest import admin, bin_dir
from processes import wait_until
from test_http_publish import SYSIMAGE, artefact, publish, publish_body, resolve, runtime_id
from test_signatures import OTHER_PUBLIC, PUBLIC, key_id, send, sign, word


def export(server, lane, path, *more, check=True):
    return admin(server, "export", lane, "--output", path, *more, check=check)


def take(server, path, *more, check=True):
    done = admin(server, "import", path, "--json", *more, check=check)
    return json.loads(done.stdout) if done.stdout else done


def entries(path):
    with tarfile.open(path) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar]


def write(path, listed):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in listed:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def pair(api, lane=None):
    base = artefact(api, "GoldBase", "Ah8jb_uZCRG")[0]
    mid = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])[0]
    assert publish(api, base, mid, **({"lane": lane} if lane else {})).status == 200
    return base["key"], mid["key"]


def names(api, keys, **more):
    return sorted(record["name"] for found in resolve(api, *keys, **more) for record in found["records"])


def assert_sound(server):
    assert json.loads(admin(server, "fsck", "--json").stdout)["clean"]


def test_a_lane_comes_over_with_what_it_requires_while_both_serve(start, tmp_path):
    one, two = start(), start(data="other")
    admin(one.server, "lane", "create", "--name", "pr/7", "--parent", "main")
    base = artefact(one, "GoldBase", "Ah8jb_uZCRG")[0]
    mid = artefact(one, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])[0]
    publish(one, base)
    publish(one, mid, lane="pr/7")
    said = json.loads(export(one.server, "pr/7", tmp_path / "pr.tar", "--json").stdout)
    assert (said["artefacts"], said["sets"], said["lost"], said["untold"]) == (2, 1, 0, 0)
    missing = admin(two.server, "import", tmp_path / "pr.tar", check=False)
    assert missing.returncode == 1 and "there is no lane pr/7" in missing.stderr
    admin(two.server, "lane", "create", "--name", "offline")
    keys = base["key"], mid["key"]
    assert take(two.server, tmp_path / "pr.tar", "--lane", "offline") == {
        "sets": 1, "skipped": 0, "refused": 0, "published": 2, "existing": 0, "superseded": 0, "blobs": 4, "bytes": said["bytes"]}
    assert names(two, keys, lane="offline") == ["GoldBase", "GoldMid"] and names(two, keys) == []
    address = f"/v1/artefacts/{runtime_id()}/{SYSIMAGE}/{mid['key']}?lane=offline"
    record = two.get(address).json
    assert (record["compile_ms"], record["provenance"]["host"]) == (1200, "builder")
    about = two.get(address.replace("?", "/about?")).json
    assert "writer0" in json.dumps(about), "who published it there"
    assert two.get(f"/v1/blobs/{mid['ji']}").body == one.get(f"/v1/blobs/{mid['ji']}").body
    assert_sound(two.server)


def test_through_a_pipe_and_once_more(start, tmp_path):
    one, two = start(), start(data="other")
    keys = pair(one)
    for published in (2, 0):
        sender = subprocess.Popen([bin_dir() / "jicached", "export", "main", "--data", one.server.data], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=False)
        done = subprocess.run([bin_dir() / "jicached", "import", "-", "--json", "--data", two.server.data], stdin=sender.stdout,
                              capture_output=True, text=True, check=True)
        said = sender.stderr.read().decode()
        sender.stdout.close()
        assert sender.wait() == 0 and "exported: 2 artefacts" in said
        taken = json.loads(done.stdout)
        assert (taken["published"], taken["existing"], taken["skipped"]) == (published, 2 - published, not published)
    assert names(two, keys) == ["GoldBase", "GoldMid"]


def test_a_file_is_whole_or_not_there_and_never_replaced(start, tmp_path):
    one = start()
    pair(one)
    target = tmp_path / "out/main.tar"
    assert export(one.server, "nobody", target, check=False).returncode == 1
    target.parent.mkdir()
    assert "no lane nobody" in export(one.server, "nobody", target, check=False).stderr
    assert list(target.parent.iterdir()) == []
    export(one.server, "main", target)
    before = target.read_bytes()
    again = export(one.server, "main", target, check=False)
    assert again.returncode == 1 and "is there already" in again.stderr and target.read_bytes() == before
    assert list(target.parent.iterdir()) == [target] and list((one.server.data / "tmp").iterdir()) == []


def test_signatures_come_over_and_are_asked_for(start, tmp_path):
    one = start(data="signed")
    base = artefact(one, "GoldBase", "Ah8jb_uZCRG")[0]
    body = publish_body(base, artefact(one, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])[0])
    assert send(one, sign(body)).status == 200
    export(one.server, "main", tmp_path / "main.tar")
    two, keys = start(data="two"), [a["key"] for a in body["artefacts"]]
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[signatures]\nlanes = "main"\ntrusted_keys = "{word(OTHER_PUBLIC)}"\n')
    refused_set = admin(two.server, "import", tmp_path / "main.tar", "--config", settings, check=False)
    assert refused_set.returncode == 1 and key_id(PUBLIC) in refused_set.stderr and names(two, keys) == []
    settings.write_text(f'[signatures]\nlanes = "main"\ntrusted_keys = "{word(PUBLIC)}"\n')
    assert take(two.server, tmp_path / "main.tar", "--config", settings)["published"] == 2
    [found] = resolve(two, *keys, signers=[PUBLIC.hex()])
    assert {record["signature"]["key"] for record in found["records"]} == {PUBLIC.hex()}
    unsigned = start(data="unsigned")
    pair(unsigned)
    export(unsigned.server, "main", tmp_path / "unsigned.tar")
    three = start(data="three")
    done = admin(three.server, "import", tmp_path / "unsigned.tar", "--config", settings, check=False)
    assert done.returncode == 1 and "not signed" in done.stderr and names(three, keys) == []


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_a_killed_import_leaves_whole_sets_and_the_next_goes_on(start, tmp_path, share):
    one, two = start(), start(data="other")
    keys = pair(one)
    export(one.server, "main", tmp_path / "main.tar")
    whole = (tmp_path / "main.tar").read_bytes()
    process = subprocess.Popen([bin_dir() / "jicached", "import", "-", "--data", two.server.data], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part = whole[:int(len(whole) * share)]
    process.stdin.write(part)
    process.stdin.flush()
    wait_until(lambda: unread(process.stdin) == 0, what="all that was sent is read")
    process.kill()
    process.wait()
    process.stdin.close()
    assert names(two, keys) in ([], ["GoldBase", "GoldMid"])
    assert_sound(two.server)
    taken = take(two.server, tmp_path / "main.tar")
    assert taken["published"] + taken["existing"] == 2 and names(two, keys) == ["GoldBase", "GoldMid"]
    assert_sound(two.server)


def unread(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


@pytest.mark.parametrize("change", [
    lambda e: [("../../etc/passwd", b"x")] + e,
    lambda e: e[:1] + [("blobs/../../index.sqlite", b"x")] + e[1:],
    lambda e: [(name, content) for name, content in e if name != "jicache-export.json"],
    lambda e: e[:1] + [("sets/00000009.json", b"{}")] + e[1:],
    lambda e: e[:2] + [("blobs/" + "0" * 64 + ".zst", b"x" * 100)] + e[2:],
    lambda e: [(name, content[:50] if name.startswith("sets") else content) for name, content in e],
    lambda e: e[:-1],
    lambda e: [],
])
def test_what_nobody_exported_changes_nothing_else(start, tmp_path, change):
    one, two = start(), start(data="other")
    keys = pair(one)
    export(one.server, "main", tmp_path / "main.tar")
    done = admin(two.server, "import", write(tmp_path / "changed.tar", change(entries(tmp_path / "main.tar"))), check=False)
    assert done.returncode == 1 and done.stderr.startswith("jicached: ") and "Sanitizer" not in done.stderr
    assert names(two, keys) == [] and sorted(path.name for path in tmp_path.iterdir()) == ["changed.tar", "data", "main.tar", "other"]
    assert sorted(path.name for path in two.server.data.iterdir() if not path.name.startswith("index.sqlite-")) == [
        "blobs", "index.sqlite", "lock", "tmp"]
    assert_sound(two.server)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_devices_and_directories_are_refused(api, tmp_path, kind):
    with tarfile.open(tmp_path / "links.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("jicache-export.json")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    done = admin(api.server, "import", tmp_path / "links.tar", check=False)
    assert done.returncode == 1 and ("none of ours" in done.stderr or "not a plain file" in done.stderr)


def test_a_size_that_nobody_has_is_refused_without_room_for_it(api, tmp_path):
    one = entries_of(api, tmp_path)
    for at, (name, content) in enumerate(one):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for index, (other, bytes_of) in enumerate(one[:at + 1]):
                member = tarfile.TarInfo(other)
                member.size = len(bytes_of)
                if index == at:
                    member.size = 1 << 50
                    tar.fileobj.write(member.tobuf(tarfile.GNU_FORMAT))
                    tar.fileobj.write(bytes_of)
                    break
                tar.addfile(member, io.BytesIO(bytes_of))
            (tmp_path / "huge.tar").write_bytes(raw.getvalue())
        done = admin(api.server, "import", tmp_path / "huge.tar", check=False)
        assert done.returncode == 1 and "Sanitizer" not in done.stderr, name


def entries_of(api, tmp_path):
    pair(api)
    export(api.server, "main", tmp_path / "main.tar")
    return entries(tmp_path / "main.tar")


def test_what_an_old_index_never_learned_is_said_and_learned_from_the_next_publish(start, tmp_path):
    one = start()
    base = artefact(one, "GoldBase", "Ah8jb_uZCRG")[0]
    publish(one, base)
    assert one.server.stop() == 0
    with sqlite3.connect(one.server.data / "index.sqlite") as db:
        db.execute("UPDATE runtime SET modules = NULL")
    one.server.start()
    done = export(one.server, "main", tmp_path / "old.tar", check=False)
    assert done.returncode == 1 and "publish anything for it again" in done.stdout and runtime_id() in done.stdout
    publish(one, artefact(one, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])[0])
    assert "exported: 2 artefacts" in export(one.server, "main", tmp_path / "new.tar").stdout


def test_an_export_under_load_is_coherent(start, tmp_path):
    one, two = start(), start(data="other")
    keys, stop = pair(one), threading.Event()

    def churn():
        while not stop.is_set():
            publish(one, artefact(one, "GoldMid", "sBuKF_uZCRG", deps=[keys[0]])[0])
            admin(one.server, "purge", "GoldMid", "--yes")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for number in range(5):
            export(one.server, "main", tmp_path / f"{number}.tar", check=False)
            assert take(two.server, tmp_path / f"{number}.tar")["refused"] == 0
    finally:
        stop.set()
        thread.join()
    assert_sound(two.server)


def test_a_lane_that_is_full_stops_it_with_a_sentence(start, tmp_path):
    one, two = start(), start(data="other")
    pair(one)
    export(one.server, "main", tmp_path / "main.tar")
    admin(two.server, "lane", "limit", "--name", "main", "--quota", "1000")
    done = admin(two.server, "import", tmp_path / "main.tar", check=False)
    assert done.returncode == 1 and "quota" in done.stderr
    assert_sound(two.server)

