"""Stores that are killed, cut off from power, or let down by the system: what was acknowledged must be there afterwards."""

import os
import random
import time

import pytest
from load import Forge


@pytest.fixture
def chance():
    """Repeats with JICACHE_TEST_SEED."""
    seed = int(os.environ.get("JICACHE_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"JICACHE_TEST_SEED={seed}")
    random.seed(seed)
    return random.Random(seed)


@pytest.fixture
def forge(chance):
    made = Forge(chance.randrange(1 << 30))
    yield made
    made.close()
