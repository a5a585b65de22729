"""The image of deploy/container, built once for all tests here."""

import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from engine import Engine  # noqa: E402
from processes import ROOT  # noqa: E402


@pytest.fixture(scope="session")
def podman():
    memory = pathlib.Path("/dev/shm")
    engine = Engine(tempfile.mkdtemp(prefix="jicache-container-", dir=memory if memory.is_dir() else None))
    try:
        engine.make_base()
        engine("build", "-q", "--pull=never", "--network=host", "--format=docker", "-t", "jicached", *engine.registry(),
               "-f", ROOT / "deploy/container/Dockerfile", ROOT, timeout=2400)
        yield engine
    finally:
        engine.close()
