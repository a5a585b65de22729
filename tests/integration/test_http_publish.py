"""Publishing what real Julia compiled (the shared corpus), and reading it back on every way there is."""

import hashlib
import json
import os
import pathlib
import sys

import pytest

from conftest import admin
from test_http_errors import refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "schema"))

import address_vectors  # noqa: E402  the second implementation of schema/address.md

CORPUS = pathlib.Path(os.environ.get("JIC_SHARED", ROOT.parent / "shared")) / "corpus/julia/1.11.1"
SYSIMAGE = hashlib.sha256(b"a system image").hexdigest()


def golden(name):
    return json.loads((CORPUS / f"golden/{name}.json").read_text())


def compiled(package, file):
    folder = CORPUS / "depot/compiled/v1.11" / package
    return (folder / f"{file}.ji").read_bytes(), (folder / f"{file}.so").read_bytes()


def runtime():
    facts = golden("runtime-facts")
    return {"version": facts["version"], "branch": facts["branch"], "commit": facts["commit"], "uname": facts["kernel"],
            "arch": facts["arch"], "triplet": facts["machine"], "word_bits": facts["word_size"],
            "flags": "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2", "cpu": "target:generic", "bundled": []}


def runtime_id():
    r = runtime()
    return f"julia-{r['version']}-{r['triplet']}-{address_vectors.sha(address_vectors.runtime(r))}"


def node(name, uuid, deps):
    return {"kind": "package", "name": name, "uuid": uuid, "source": f"git-tree-sha1:{hashlib.sha1(name.encode()).hexdigest()}",
            "build": "", "preferences": "", "deps": deps, "extensions": []}


def artefact(api, package, file, deps=(), upload=True):
    """Upload a cache of the corpus. → the artefact of a publish, the bytes of `.ji` and image"""
    ji, image = compiled(package, file)
    digests = [api.put_blob(data)[0] if upload else hashlib.sha256(data).hexdigest() for data in (ji, image)]
    inputs = node(package, golden(f"{package}-{file}")["modules"][0]["uuid"], list(deps))
    return {"key": address_vectors.sha(address_vectors.node(inputs)), "node": inputs, "ji": digests[0], "image": digests[1],
            "compile_ms": 1200}, ji, image


def publish_body(*artefacts, lane=None):
    modules = [m for m in golden("GoldBase-Ah8jb_uZCRG")["required_modules"] if m["build_id"].startswith("fdfcfbfa")]
    body = {"runtime": runtime(), "sysimage": SYSIMAGE, "sysimage_modules": modules, "artefacts": list(artefacts),
            "provenance": {"host": "builder", "user": "ci", "run": "https://ci.example/1", "client": "test", "created_s": 1}}
    return body | ({"lane": lane} if lane else {})


def publish(api, *artefacts, **more):
    return api.post("/v1/publish", publish_body(*artefacts, **more), token=api.token, valid=True)


def resolve(api, *keys, **more):
    body = {"sysimage": SYSIMAGE, "runtimes": [runtime_id()], "keys": list(keys)} | more
    return api.post("/v1/resolve", body, valid=True).json["sets"]


def test_a_published_set_is_resolved_with_what_it_requires(api):
    base, base_ji, base_image = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, mid_ji, _ = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    answer = publish(api, mid, base)
    assert answer.status == 200 and sorted(answer.json["published"]) == sorted([base["key"], mid["key"]])
    [found] = resolve(api, base["key"], mid["key"], "0" * 64)
    records = {record["name"]: record for record in found["records"]}
    assert found["runtime"] == runtime_id() and set(records) == {"GoldBase", "GoldMid"}
    order = [record["name"] for record in found["records"]]
    assert [order[i] for i in records["GoldMid"]["requires"]] == ["GoldBase"] and records["GoldBase"]["requires"] == []
    record = records["GoldBase"]
    assert record["ji"] == {"digest": base["ji"], "size": len(base_ji)}
    assert record["image"] == {"digest": base["image"], "size": len(base_image)}
    assert (record["lane"], record["compile_ms"], record["provenance"]["host"]) == ("main", 1200, "builder")
    read = golden("GoldBase-Ah8jb_uZCRG")
    assert record["build_id"] == read["checksum"] + read["modules"][0]["build_id"]


def test_a_record_and_its_bytes_have_addresses(api):
    base, ji, image = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, _, _ = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    publish(api, base, mid)
    target = f"/v1/artefacts/{runtime_id()}/{SYSIMAGE}"
    assert api.get(f"{target}/{base['key']}/ji").body == ji
    got = api.get(f"{target}/{base['key']}/image", headers={"Range": "bytes=0-3"})
    assert (got.status, got.body) == (206, image[:4])
    assert got.headers["Cache-Control"] == "private, no-cache"
    record = api.get(f"{target}/{mid['key']}").json
    assert record["requires_ids"] == [api.get(f"{target}/{base['key']}").json["build_id"]]
    assert api.request("HEAD", f"{target}/{mid['key']}?lane=main").status == 200


def test_publishing_again_changes_nothing(api):
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    assert publish(api, base).json == {"published": [base["key"]], "existing": []}
    assert publish(api, base).json == {"published": [], "existing": [base["key"]]}


def test_a_child_lane_shows_its_parent_and_keeps_its_own(api):
    admin(api.server, "lane", "create", "--name", "pr/1", "--parent", "main")
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, _, _ = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    publish(api, base)
    assert publish(api, mid, lane="pr/1").status == 200
    assert [r["lane"] for r in resolve(api, base["key"], mid["key"], lane="pr/1")[0]["records"]] == ["main", "pr/1"]
    assert len(resolve(api, base["key"], mid["key"])[0]["records"]) == 1
    address = f"/v1/artefacts/{runtime_id()}/{SYSIMAGE}/{mid['key']}"
    assert api.get(address).status == 404 and api.get(f"{address}?lane=pr%2D1").status == 404
    assert api.get(f"{address}?lane=pr/1").json["lane"] == "pr/1"


def test_what_an_artefact_requires_must_be_there(api):
    mid, _, _ = artefact(api, "GoldMid", "sBuKF_uZCRG")
    answer = refused(publish(api, mid), 422, "incoherent")
    assert answer.json["keys"] == [mid["key"]] and resolve(api, mid["key"]) == []


def test_a_blob_that_was_not_uploaded(api):
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG", upload=False)
    answer = refused(publish(api, base), 409, "conflict")
    assert answer.json["keys"] == [base["key"]]
    artefact(api, "GoldBase", "Ah8jb_uZCRG")
    assert publish(api, base).status == 200


@pytest.mark.parametrize("spoil", [
    lambda a: a | {"key": "0" * 64},
    lambda a: a | {"node": a["node"] | {"preferences": "x"}},
    lambda a: a | {"ji": a["image"]},
    lambda a: {name: value for name, value in a.items() if name != "image"},
], ids=["another key", "other inputs", "an image for a header", "no image"])
def test_an_artefact_that_contradicts_itself_takes_all_with_it(api, spoil):
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, _, _ = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    bad = spoil(mid)
    answer = refused(publish(api, base, bad), 422, "bad-artefact")
    assert answer.json["keys"] == [bad["key"]] and resolve(api, base["key"], mid["key"]) == []


def test_what_was_published_survives_a_kill(start):
    api = start()
    base, ji, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    assert publish(api, base).status == 200
    api.server.kill()
    api.server.start()
    assert len(resolve(api, base["key"])) == 1 and api.get(f"/v1/blobs/{base['ji']}").body == ji
