"""The commands of jicached: results on stdout, the rest on stderr, exit status 0, 1 or 2."""

import http.client
import json
import os
import re
import subprocess

import pytest

from conftest import bin_dir
from processes import ROOT, wait_until


def run(*arguments, **more):
    return subprocess.run([bin_dir() / "jicached", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)


def test_version_and_help():
    assert re.fullmatch(r"jicached \d+\.\d+\.\d+\n", run("version").stdout)
    assert run("--version").stdout == run("version").stdout
    listed = run("--help")
    assert listed.returncode == 0
    for command in ["serve", "token create", "token list", "token revoke", "lane list", "lane create", "lane limit", "status", "fsck", "backup", "restore", "gc", "purge", "config show", "config check", "config reference", "completion", "manual", "pin", "unpin", "pins", "version"]:
        assert f"\n  {command} " in listed.stdout
        done = run(*command.split(), "--help")
        assert done.returncode == 0 and done.stdout.startswith(f"Usage: jicached {command}") and done.stderr == ""
    assert "--listen LIST" in run("serve", "--help").stdout


@pytest.mark.parametrize("arguments", [
    [], ["fly"], ["token"], ["serve", "--nonsense"], ["serve", "more"], ["serve", "--threads", "x"], ["serve", "--listen", "x"],
    ["serve", "--log-level", "loud"], ["serve", "--require-token", "--anonymous-read"], ["token", "create"],
    ["token", "create", "--name", "a/b"], ["token", "create", "--name", "a", "--can", "fly"],
    ["token", "create", "--name", "a", "--lanes", "[x]"], ["token", "create", "--name", "a", "--expires", "soon"],
    ["lane", "create", "--name", "../x"], ["token", "revoke"], ["backup"], ["restore"], ["pin"], ["pin", "a b"], ["pin", "a/b/c"], ["unpin"],
])
def test_mistakes_are_usage(tmp_path, arguments):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and done.stderr, done


def test_a_token_is_created_listed_and_revoked(tmp_path):
    data = ["--data", tmp_path / "d"]
    made = run("token", "create", *data, "--name", "ci", "--can", "write,read", "--lanes", "main,pr/*", "--expires", "90d", "--json")
    token = json.loads(made.stdout)
    assert re.fullmatch("jic_[0-9a-f]{64}", token["token"])
    assert (token["can"], token["lanes"]) == ("read,write", "main,pr/*")
    assert token["expires_s"] - token["created_s"] == 90 * 86400
    again = run("token", "create", *data, "--name", "ci")
    assert again.returncode == 1 and again.stdout == ""
    listed = run("token", "list", *data, "--json").stdout
    assert [t["name"] for t in json.loads(listed)["tokens"]] == ["ci"] and token["token"] not in listed
    assert "ci" in run("token", "list", *data).stdout
    assert run("token", "revoke", *data, "--name", "ci").returncode == 0
    assert run("token", "revoke", *data, "--name", "ci").returncode == 1
    assert json.loads(run("token", "list", *data, "--json").stdout)["tokens"] == []


def test_secrets_are_nowhere_on_disk(tmp_path):
    secret = run("token", "create", "--data", tmp_path / "d", "--name", "ci").stdout.strip()
    for path in (tmp_path / "d").rglob("*"):
        assert not path.is_file() or secret[4:].encode() not in path.read_bytes()


def test_lanes_are_created_and_listed(tmp_path):
    data = ["--data", tmp_path / "d"]
    assert run("lane", "create", *data, "--name", "pr/7", "--parent", "main").returncode == 0
    assert run("lane", "create", *data, "--name", "pr/7").returncode == 1
    assert run("lane", "create", *data, "--name", "x", "--parent", "unknown").returncode == 1
    lanes = json.loads(run("lane", "list", *data, "--json").stdout)["lanes"]
    assert [(lane["name"], lane.get("parent")) for lane in lanes] == [("main", None), ("pr/7", "main")]
    assert "pr/7" in run("lane", "list", *data).stdout


def test_status_counts(tmp_path):
    run("token", "create", "--data", tmp_path / "d", "--name", "ci")
    status = json.loads(run("status", "--data", tmp_path / "d", "--json").stdout)
    assert (status["tokens"], status["lanes"], status["artefacts"]) == (1, 1, 0)
    assert "artefacts" in run("status", "--data", tmp_path / "d").stdout


def test_fsck_finds_and_repairs_only_without_a_server(start):
    api = start()
    digest, answer = api.put_blob(b"some bytes of which one will be flipped")
    assert answer.status == 201
    data = ["--data", api.server.data]
    done = run("fsck", *data, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["clean"] is True
    file = api.server.data / "blobs" / digest[:2] / f"{digest[2:]}.zst"
    stored = bytearray(file.read_bytes())
    stored[-6] ^= 1
    file.write_bytes(stored)
    done = run("fsck", *data, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and [(f["kind"], f["blob"]) for f in report["findings"]] == [("blob-corrupt", digest)]
    assert "repair" not in report
    done = run("fsck", *data, "--repair")
    assert done.returncode == 1 and "another jicached serves" in done.stderr
    assert api.server.stop() == 0
    done = run("fsck", *data, "--repair")
    assert done.returncode == 1 and "1 blobs in quarantine" in done.stdout and digest in done.stdout
    assert (api.server.data / "quarantine" / f"{digest}.zst").read_bytes() == stored
    done = run("fsck", *data)
    assert done.returncode == 0 and "0 findings" in done.stdout


def counters(api):
    return json.loads(run("status", "--data", api.server.data, "--json").stdout)


def flip_a_bit(api, digest):
    file = api.server.data / "blobs" / digest[:2] / f"{digest[2:]}.zst"
    stored = bytearray(file.read_bytes())
    stored[len(stored) // 2] ^= 1
    file.write_bytes(stored)


def test_a_blob_that_a_reader_had_trouble_with_is_a_miss_from_then_on(start):
    api = start("--scrub-bytes-per-day", "0")
    digest, _ = api.put_blob(os.urandom(300_000))
    assert api.get(f"/v1/blobs/{digest}").status == 200
    flip_a_bit(api, digest)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        api.get(f"/v1/blobs/{digest}")
    wait_until(lambda: counters(api)["damaged_blobs"] == 1)
    assert api.get(f"/v1/blobs/{digest}").status == 404
    assert "1 " in run("status", "--data", api.server.data).stdout
    assert (api.server.data / "quarantine" / f"{digest}.zst").exists()


def test_bytes_that_are_gone_are_a_miss(start):
    api = start("--scrub-bytes-per-day", "0")
    content = b"some content"
    digest, _ = api.put_blob(content)
    (api.server.data / "blobs" / digest[:2] / f"{digest[2:]}.zst").unlink()
    assert api.get(f"/v1/blobs/{digest}").status == 404
    wait_until(lambda: counters(api)["blobs"] == 0)
    assert api.put_blob(content)[1].status == 201
    assert api.get(f"/v1/blobs/{digest}").body == content


def test_the_scrub_finds_what_nobody_reads(start):
    api = start()
    digest, _ = api.put_blob(os.urandom(100_000))
    sound, _ = api.put_blob(b"sound")
    flip_a_bit(api, digest)
    assert api.server.stop() == 0
    api.server.start()
    wait_until(lambda: counters(api)["damaged_blobs"] == 1 and counters(api)["scrub_rounds"] >= 1)
    assert api.get(f"/v1/blobs/{digest}").status == 404
    assert api.get(f"/v1/blobs/{sound}").body == b"sound"


def test_pins_are_made_listed_and_undone(tmp_path):
    data = ["--data", tmp_path / "d"]
    run("token", "create", *data, "--name", "ci")
    assert run("pin", *data, "Plots").returncode == 0
    assert run("pin", *data, "Plots").returncode == 0
    assert json.loads(run("pins", *data, "--json").stdout) == {"pins": ["Plots"]}
    assert run("pins", *data).stdout == "Plots\n"
    assert run("unpin", *data, "Plots").returncode == 0
    done = run("unpin", *data, "Plots")
    assert done.returncode == 1 and "is not pinned" in done.stderr


def test_a_store_at_its_limit_refuses_writes_and_goes_on_reading(start):
    api = start("--store-bytes-max", "300k")
    digest, answer = api.put_blob(os.urandom(200_000))
    assert answer.status == 201
    _, answer = api.put_blob(os.urandom(200_000))
    assert (answer.status, answer.code) == (507, "no-space")
    assert api.get(f"/v1/blobs/{digest}").status == 200
    assert api.put_blob(os.urandom(50_000))[1].status == 201


def test_a_data_directory_that_is_not_there_is_not_created_by_looking(tmp_path):
    for command in ["status", "token list", "lane list", "fsck", "fsck --repair"]:
        done = run(*command.split(), "--data", tmp_path / "none")
        assert done.returncode == 1 and "no such data directory" in done.stderr
    assert not (tmp_path / "none").exists()


def test_each_setting_tells_its_source(tmp_path):
    file = tmp_path / "jicached.toml"
    file.write_text('listen = "127.0.0.1:1"\n[limits]\nthreads = 3\nworkers = 5\n')
    done = run("serve", "--config", file, "--listen", ":0", "--print-config",
               env={"JICACHED_LIMITS_THREADS": "4", "JICACHED_DATA": str(tmp_path / "d")})
    lines = dict(line.split(" = ", 1) for line in done.stdout.splitlines())
    assert lines["listen"] == '":0"  # flag --listen'
    assert lines["limits.threads"] == "4  # environment JICACHED_LIMITS_THREADS"
    assert lines["limits.workers"] == f"5  # {file}:4"
    assert lines["limits.idle_timeout"] == "60  # default"


def test_a_mistake_in_the_file_names_its_line(tmp_path):
    file = tmp_path / "jicached.toml"
    file.write_text('data = "d"\nlisten_on = 1\n')
    done = run("serve", "--config", file)
    assert done.returncode == 1 and f'{file}:2: unknown key "listen_on"' in done.stderr


def test_the_documented_settings_are_those_that_there_are(tmp_path):
    page = (ROOT / "docs/configuration.md").read_text()
    documented = dict(re.findall(r"^\| `([\w.]+)` \| `--[\w-]+` \| `([^`]*)` \|", page, re.M))
    printed = run("serve", "--print-config", env={}).stdout
    assert set(documented) == set(re.findall(r"^([\w.]+) = ", printed, re.M))
    file = tmp_path / "jicached.toml"
    plain = re.compile(r"true|false|0|[1-9]\d*")
    file.write_text("".join(f"{key} = {value if plain.fullmatch(value) else json.dumps(value)}\n"
                            for key, value in documented.items()))
    again = run("serve", "--config", file, "--print-config", env={}).stdout
    values = [re.sub(r"  # .*", "", text, flags=re.M) for text in (printed, again)]
    assert values[0] == values[1]


def test_config_show_names_the_origin_of_each_value(tmp_path):
    file = tmp_path / "jicached.toml"
    file.write_text('[limits]\nidle_timeout = "2m"\n')
    done = run("config", "show", "--config", file, "--threads", "3", "--json", env={"JICACHED_LOG_LEVEL": "debug"})
    report = json.loads(done.stdout)
    settings = {s["key"]: s for s in report["settings"]}
    assert report["file"] == str(file)
    found = {key: (settings[key]["value"], settings[key]["origin"], settings[key]["where"])
             for key in ("limits.idle_timeout", "limits.threads", "log_level", "require_token")}
    assert found == {"limits.idle_timeout": (120, "file", f"{file}:2"), "limits.threads": (3, "option", "flag --threads"),
                     "log_level": ("debug", "environment", "environment JICACHED_LOG_LEVEL"),
                     "require_token": (False, "default", "default")}
    assert settings["log_level"]["reloadable"] and not settings["limits.threads"]["reloadable"]
    assert run("config", "show", env={}).stdout == run("serve", "--print-config", env={}).stdout


@pytest.mark.parametrize("toml, status, sentence", [
    ('require_tokens = true\n', 1, ':1: unknown key "require_tokens"'),
    ('[limits]\nthreads = 1000\n', 2, ":2: limits.threads: must be from 0 to 256"),
    ('log_level = "loud"\n', 2, "log_level must be"),
    ('trusted_proxies = ["10.0.0.0/99"]\n', 2, "10.0.0.0/99"),
    ('[tls]\ncertificate = "/nonexistent.pem"\nkey = "/nonexistent.pem"\n', 1, "/nonexistent.pem"),
    ("listen = \n", 1, ":1"),
])
def test_config_check_finds_what_a_start_would(tmp_path, toml, status, sentence):
    file = tmp_path / "jicached.toml"
    file.write_text(toml)
    done = run("config", "check", "--config", file, cwd=tmp_path, env={})
    assert done.returncode == status and sentence in done.stderr and done.stdout == "", done
    assert list(tmp_path.iterdir()) == [file]


def test_config_check_says_what_it_read(tmp_path):
    file = tmp_path / "jicached.toml"
    file.write_text('log_level = "warn"\n[limits]\nthreads = 2\n')
    done = run("config", "check", "--config", file, "--json", env={})
    assert done.returncode == 0 and json.loads(done.stdout)["set"] == 2
    assert f"{file}: 2 of " in run("config", "check", "--config", file, env={}).stdout


def test_the_documented_table_is_the_one_that_config_reference_prints():
    page = (ROOT / "docs/configuration.md").read_text()
    assert run("config", "reference").stdout in page
