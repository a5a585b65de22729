"""Every command of docs/operations.md, run as it stands there: places are replaced by places of the test, nothing else."""

import os
import re
import signal
import subprocess

import pytest

from conftest import Api, admin, bin_dir, make_token
from processes import ROOT, Server
from test_http_publish import artefact, publish, publish_body
from test_signatures import PUBLIC, key_id, sign

INDENTED = re.compile(r"^    ((?:sudo|jicached|jicache|cmake|systemctl|curl) .*)$", re.M)
BLOCK = re.compile(r"^```(?:sh)?\n(.*?)^```$", re.S | re.M)

# What only root or systemd can do, done for a folder. `systemctl` does what the installed unit says.
STUBS = {
    "sudo": 'if [ "$1" = -u ]; then shift 2; fi\nexec "$@"\n',
    "systemd-sysusers": 'exec /usr/bin/systemd-sysusers --root="$ROOT_DIR" "$ROOT_DIR/usr/lib/sysusers.d/$1"\n',
    "systemd-tmpfiles": 'exec /usr/bin/systemd-tmpfiles --create --root="$ROOT_DIR" "$ROOT_DIR/usr/lib/tmpfiles.d/$2"\n',
    "systemctl": """
unit=$ROOT_DIR/usr/lib/systemd/system/jicached.service
value() { sed -n "s|^$1=||p" "$unit" | sed "s|/usr/bin|$ROOT_DIR/usr/bin|; s|/etc/|$ROOT_DIR/etc/|; s|/var/lib/|$ROOT_DIR/var/lib/|"; }
pid=$(cat "$ROOT_DIR/pid" 2>/dev/null)
stop() { [ -z "$pid" ] || { kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; }; }
start() {
	JICACHED_LISTEN=127.0.0.1:0 $(value ExecStart) >>"$ROOT_DIR/out" 2>>"$ROOT_DIR/log" </dev/null &
	echo $! >"$ROOT_DIR/pid"
	for _ in $(seq 200); do grep -q listening "$ROOT_DIR/out" && return 0; sleep 0.05; done
	return 1
}
case $1 in
enable) start ;;
reload) MAINPID=$pid bash -c "$(value ExecReload)" ;;
restart) stop; : >"$ROOT_DIR/out"; start ;;
*) exit 64 ;;
esac
""",
}


def blocks():
    """(heading, command lines) of each block"""
    page = (ROOT / "docs/operations.md").read_text()
    found = []
    for match in BLOCK.finditer(page):
        heading = re.findall(r"^## (.*)$", page[:match.start()], re.M)[-1]
        lines = [line for line in match.group(1).splitlines() if line.strip()]
        if all(re.match(r"(sudo|jicached|jicache|cmake|systemctl|curl) ", line) for line in lines):
            found.append((heading, lines))
    return found


def command_of(line):
    """Without its remark, and without what may be left out."""
    return re.sub(r"\s*\[[^\]]*\]", "", line.split("  #")[0]).strip()


class Machine:
    """A root file system in a folder."""

    def __init__(self, folder):
        self.folder, self.bin = folder, folder / "stubs"
        self.bin.mkdir(parents=True)
        (folder / "etc").mkdir()
        (folder / "var/backups").mkdir(parents=True)
        for name, text in STUBS.items():
            (self.bin / name).write_text(f"#!/bin/bash\n{text}")
            (self.bin / name).chmod(0o755)

    def run(self, line, status=0):
        for place in ("/etc/jicached", "/var/lib/jicached", "/var/backups"):
            line = re.sub(rf"(?<![\w/]){place}\b", f"{self.folder}{place}", line)
        env = {**os.environ, "ROOT_DIR": str(self.folder), "PATH": f"{self.bin}:{bin_dir()}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env, cwd=ROOT, timeout=120)
        assert done.returncode == status, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def stop(self):
        try:
            os.kill(int((self.folder / "pid").read_text()), signal.SIGTERM)
        except (FileNotFoundError, ProcessLookupError):
            pass


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path / "root")
    yield made
    made.stop()


def test_install_settings_and_upgrade(machine):
    """One machine's life. The build itself is the one that is tested; it is installed with its units."""
    build = bin_dir().parent
    told = [line for heading, lines in blocks() if heading in ("Install", "Change settings", "Upgrade") for line in lines]
    assert len(told) > 12
    for line in told:
        if line.startswith("cmake --"):
            assert re.fullmatch(r"cmake --(build --)?preset release( -DCMAKE_INSTALL_PREFIX=/usr)?", line)
            continue
        if "cmake --install" in line:
            line = line.replace("build/release", f"{build} --prefix {machine.folder}/usr")
            machine.run(line)
            unit = machine.folder / "usr/lib/systemd/system/jicached.service"
            # The build under test was configured for another prefix.
            unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/usr/bin/jicached", unit.read_text(), flags=re.M))
            continue
        said = machine.run(line)
        if "token create" in line:
            assert said.startswith("jic_")
    log = (machine.folder / "log").read_text()
    assert log.count('"event":"server.start"') == 2 and '"event":"config.reload"' in log and '"event":"server.stopped"' in log
    assert "Sanitizer" not in log


def places(line, data, folder):
    return (command_of(line).replace(" DIR", f" {data}").replace(" COPY", f" {folder}/copy").replace(" PACKAGE", " GoldMid")
            .replace(" WHAT", " GoldBase"))


def test_what_an_admin_does_to_the_data(api, tmp_path):
    told = [line for heading, lines in blocks() if heading not in ("Install", "Change settings", "Upgrade") for line in lines]
    assert len(told) >= 8
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, _, _ = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    publish(api, base, mid)
    machine, stopped = Machine(tmp_path / "root"), []
    for line in told:
        if "must be stopped" in line:
            stopped.append(line)
        elif "no store yet" in line:
            machine.run(places(line, tmp_path / "restored", tmp_path))
        else:
            machine.run(places(line, api.server.data, tmp_path))
    assert api.server.stop() == 0
    for line in stopped:
        machine.run(places(line, api.server.data, tmp_path))
    with Server(tmp_path / "restored") as server:
        assert '"artefacts":2' in admin(server, "status", "--json").stdout.replace(" ", "")


def test_taking_back_what_somebody_made(api, tmp_path):
    """One artefact is signed and of the page's run, another on top of it was published with the page's token."""
    told = [command_of(line) for line in INDENTED.findall((ROOT / "docs/operations.md").read_text())]
    assert [line.split()[1] for line in told] == ["recall", "recall", "recall", "recalls"], "others need a test of their own"
    bot = Api(api.server, make_token(api.server, "ci-bot", "read,write"))
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, _, _ = artefact(bot, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    body = publish_body(base)
    body["provenance"]["run"] = "https://ci.example/run/77"
    assert api.post("/v1/publish", sign(body), token=api.token, valid=True).status == 200
    assert publish(bot, mid).status == 200
    machine = Machine(tmp_path / "root")
    said = [machine.run(f"JICACHED_DATA={api.server.data} {line.replace('9f2c41d07be85a13', key_id(PUBLIC))}") for line in told]
    assert "1 artefacts and 1 that were built on them would be" in said[0]
    assert "would be" not in said[1] and "1 artefacts and 0" in said[2], said
    assert "token ci-bot  1 artefacts" in said[3] and len(said[3].splitlines()) == 1
    assert '"artefacts":1' in admin(api.server, "status", "--json").stdout.replace(" ", "")
