"""`jicached gc` and `purge`, beside a server that goes on serving."""

import json
import time

import pytest

from conftest import admin
from test_http_publish import artefact, publish, resolve


@pytest.fixture
def stored(api):
    """GoldMid requires GoldBase. → api, their keys"""
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, _, _ = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    assert publish(api, base, mid).status == 200
    return api, base["key"], mid["key"]


def report(api, *arguments):
    return json.loads(admin(api.server, *arguments, "--json").stdout)


def found(api, *keys):
    return {record["name"] for answer in resolve(api, *keys) for record in answer["records"]}


def test_purge_says_what_would_go_and_then_takes_it_with_its_dependents(stored):
    api, base, mid = stored
    said = report(api, "purge", "GoldBase")
    assert said == {"package": "GoldBase", "version": "", "artefacts": 1, "dependents": 1, "done": False}
    assert found(api, base, mid) == {"GoldBase", "GoldMid"}
    assert "--yes does it" in admin(api.server, "purge", "GoldBase").stdout
    assert report(api, "purge", "GoldBase", "--yes")["done"] is True
    assert found(api, base, mid) == set()
    again = admin(api.server, "purge", "GoldBase", check=False)
    assert again.returncode == 1 and "nothing of GoldBase is stored" in again.stderr


def test_purge_leaves_what_a_package_requires(stored):
    api, base, mid = stored
    assert report(api, "purge", "GoldMid", "--yes")["dependents"] == 0
    assert found(api, base, mid) == {"GoldBase"}


def test_purge_of_one_version_leaves_the_others(stored):
    api, base, mid = stored
    assert admin(api.server, "purge", "GoldBase@99.0.0", "--yes", check=False).returncode == 1
    assert found(api, base, mid) == {"GoldBase", "GoldMid"}


def test_what_was_purged_can_be_published_again(stored):
    api, base, mid = stored
    report(api, "purge", "GoldBase", "--yes")
    assert publish(api, artefact(api, "GoldBase", "Ah8jb_uZCRG")[0]).json["published"] == [base]
    assert found(api, base, mid) == {"GoldBase"}


def test_gc_takes_what_is_too_old_and_nothing_that_is_pinned(stored):
    api, base, mid = stored
    assert report(api, "gc", "--older-than", "1h")["artefacts"] == 0
    time.sleep(2.2)
    said = report(api, "gc", "--older-than", "1s")
    assert said["artefacts"] == 2 and said["bytes"] > 0 and said["done"] is False
    admin(api.server, "pin", "GoldBase")
    assert report(api, "gc", "--older-than", "1s", "--yes")["artefacts"] == 1
    assert found(api, base, mid) == {"GoldBase"}


@pytest.mark.parametrize("arguments", [["gc"], ["gc", "--older-than", "soon"], ["gc", "--older-than", "0"], ["purge"], ["purge", "A@"],
                                       ["purge", "@1"]])
def test_mistakes_are_usage(api, arguments):
    assert admin(api.server, *arguments, check=False).returncode == 2
