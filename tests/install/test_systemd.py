"""The units, as systemd's own tools judge them. That jicached keeps its side of it: tests/integration/test_service.py."""

import re
import subprocess

import pytest
from processes import ROOT, bin_dir

UNITS = ROOT / "deploy/systemd"
EXPOSURE_MAX = 2.0


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def units(tmp_path):
    """Copies whose program exists; man pages have a test of their own."""
    for name in ("jicached.service", "jicached.socket"):
        text = (UNITS / name).read_text().replace("/usr/bin/jicached", str(bin_dir() / "jicached"))
        (tmp_path / name).write_text(text)
    return tmp_path


def test_systemd_understands_the_units(units):
    done = run("systemd-analyze", "verify", "--man=no", units / "jicached.service", units / "jicached.socket")
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_a_mistake_in_a_unit_would_be_found(units):
    unit = units / "jicached.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=60", "WatchdogSecs=60"))
    assert "WatchdogSecs" in run("systemd-analyze", "verify", "--man=no", unit).stderr


def test_the_service_is_well_confined(units):
    done = run("systemd-analyze", "security", "--offline=true", units / "jicached.service")
    exposure = float(re.search(r"Overall exposure level for jicached.service: ([\d.]+)", done.stdout).group(1))
    assert exposure < EXPOSURE_MAX, done.stdout


def test_the_user_and_the_directories_are_made(tmp_path):
    (tmp_path / "etc").mkdir()
    assert run("systemd-sysusers", f"--root={tmp_path}", UNITS / "jicached.sysusers.conf").returncode == 0
    user = next(line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("jicached:"))
    assert user.split(":")[5:] == ["/var/lib/jicached", "/usr/sbin/nologin"]
    done = run("systemd-tmpfiles", "--create", f"--root={tmp_path}", UNITS / "jicached.tmpfiles.conf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc/jicached").stat().st_mode & 0o777 == 0o750 and (tmp_path / "var/lib/jicached").is_dir()


def test_the_settings_that_come_with_it_are_right(tmp_path):
    done = run(bin_dir() / "jicached", "config", "check", "--config", UNITS / "jicached.toml")
    assert done.returncode == 0, done.stderr
