"""What every Python suite shares: tests/support on the path, and a test that caused a sanitizer report fails."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))


def sanitizer_reports():
    folder = os.environ.get("JICACHE_SANITIZER_LOGS")
    return {path for path in pathlib.Path(folder).glob("*") if path.stat().st_size} if folder else set()


@pytest.fixture(autouse=True)
def no_sanitizer_report():
    """Set by tests/run: sanitizers of any process write into that folder."""
    before = sanitizer_reports()
    yield
    new = sorted(sanitizer_reports() - before)
    assert not new, "\n".join(path.read_text(errors="replace")[:4000] for path in new)
