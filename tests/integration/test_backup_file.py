"""A whole store in one file, made beside a server that goes on, and brought back."""

import io
import json
import os
import subprocess
import tarfile

import pytest
from conftest import admin, bin_dir
from processes import Server
from test_export import entries, pair, write
from test_http_publish import artefact, publish


def restore(folder, path, check=True, **more):
    return subprocess.run([bin_dir() / "jicached", "restore", path, "--data", folder], capture_output=True, text=True,
                          stdin=more.pop("stdin", subprocess.DEVNULL), check=check, **more)


def held(folder):
    done = subprocess.run([bin_dir() / "jicached", "status", "--json", "--data", folder], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["artefacts"]


@pytest.mark.parametrize("arguments", [["COPY.tar"], ["--output", "COPY.tar"], ["--output", "COPY"]])
def test_a_copy_is_one_file_and_comes_back(api, tmp_path, arguments):
    pair(api)
    admin(api.server, "lane", "create", "--name", "pr/1", "--parent", "main")
    words = [word.replace("COPY", str(tmp_path / "copy")) for word in arguments]
    said = json.loads(admin(api.server, "backup", *words, "--json").stdout)
    assert (said["blobs"], said["fresh"], said["missing"]) == (4, 4, 0)
    assert os.stat(words[-1]).st_mode & 0o777 == 0o600, "it has the hashes of tokens"
    assert list((api.server.data / "tmp").iterdir()) == []
    assert "restored: 4 blobs" in restore(tmp_path / "back", words[-1]).stdout
    with Server(tmp_path / "back") as server:
        assert "pr/1" in admin(server, "lane", "list").stdout and held(tmp_path / "back") == 2
        assert json.loads(admin(server, "fsck", "--json").stdout)["clean"]
        assert server.stop() == 0
    again = restore(tmp_path / "back", words[-1], check=False)
    assert again.returncode == 1 and "has a store already" in again.stderr


def test_through_a_pipe(api, tmp_path):
    pair(api)
    sender = subprocess.Popen([bin_dir() / "jicached", "backup", "-", "--data", api.server.data], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    restore(tmp_path / "back", "-", stdin=sender.stdout)
    sender.stdout.close()
    assert b"copied: 4 blobs" in sender.stderr.read() and sender.wait() == 0 and held(tmp_path / "back") == 2


def test_no_file_is_replaced_and_none_is_left_half(api, tmp_path):
    pair(api)
    target = tmp_path / "out/copy.tar"
    target.parent.mkdir()
    target.write_text("mine")
    done = admin(api.server, "backup", target, check=False)
    assert done.returncode == 1 and "is there already" in done.stderr and target.read_text() == "mine"
    assert admin(api.server, "backup", target, "--output", tmp_path / "x.tar", check=False).returncode == 2
    assert admin(api.server, "backup", check=False).returncode == 2
    target.unlink()
    limited = subprocess.run(["bash", "-c", f"ulimit -f 8; exec {bin_dir()}/jicached backup {target} --data {api.server.data}"],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert limited.returncode != 0 and [p for p in target.parent.iterdir() if not p.name.startswith(".jicache-tmp")] == []


def test_a_folder_stays_a_folder(api, tmp_path):
    pair(api)
    folder = tmp_path / "odd.tar"
    folder.mkdir()
    admin(api.server, "backup", folder)
    assert (folder / "index.sqlite").exists()
    restore(tmp_path / "back", folder)
    assert held(tmp_path / "back") == 2


@pytest.mark.parametrize("change", [
    lambda e: e[:-1],
    lambda e: e[:2],
    lambda e: e[1:],
    lambda e: [e[0], *e[2:]],
    lambda e: [*e, ("more", b"")],
    lambda e: [e[0], ("../../lock", b"x"), *e[1:]],
    lambda e: [e[0], ("blobs/index.sqlite", b"x"), *e[1:]],
    lambda e: [e[0], *[x for x in e[1:] if x[0] == "index.sqlite"] * 2, *e[1:]],
    lambda e: [],
])
def test_a_file_that_is_cut_off_or_changed_makes_no_store(api, tmp_path, change):
    pair(api)
    admin(api.server, "backup", tmp_path / "copy.tar")
    write(tmp_path / "changed.tar", change(entries(tmp_path / "copy.tar")))
    done = restore(tmp_path / "back", tmp_path / "changed.tar", check=False)
    assert done.returncode == 1 and "Sanitizer" not in done.stderr and not (tmp_path / "back/index.sqlite").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "changed.tar", "copy.tar", "data"]
    restore(tmp_path / "back", tmp_path / "copy.tar")
    assert held(tmp_path / "back") == 2


def test_damage_is_said_when_it_is_restored(api, tmp_path):
    pair(api)
    admin(api.server, "backup", tmp_path / "copy.tar")
    changed = [(name, b"x" * len(content) if number == 1 else content)
               for number, (name, content) in enumerate(entries(tmp_path / "copy.tar"))]
    done = restore(tmp_path / "back", write(tmp_path / "changed.tar", changed), check=False)
    assert done.returncode == 1 and "findings" in done.stderr


def test_links_are_no_backup(tmp_path):
    with tarfile.open(tmp_path / "links.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("jicache-backup.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member, io.BytesIO())
    done = restore(tmp_path / "back", tmp_path / "links.tar", check=False)
    assert done.returncode == 1 and "not a plain file" in done.stderr


def test_what_is_published_meanwhile_is_whole_or_absent(api, tmp_path):
    base, _ = pair(api)
    for number in range(3):
        admin(api.server, "purge", "GoldMid", "--yes")
        running = subprocess.Popen([bin_dir() / "jicached", "backup", tmp_path / f"{number}.tar", "--data", api.server.data],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        assert publish(api, artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base])[0]).status == 200
        assert running.wait() == 0
        restore(tmp_path / f"back{number}", tmp_path / f"{number}.tar")
        assert held(tmp_path / f"back{number}") in (1, 2)
