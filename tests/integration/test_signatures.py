"""Signed records over HTTP: what the server takes, keeps, passes on and refuses; recalls beside a running server. Signatures
are made by the second implementation, schema/signature_vectors.py."""

import copy
import json
import sys

import pytest
from conftest import admin, make_token
from test_http_errors import refused
from test_http_publish import ROOT, SYSIMAGE, artefact, compiled, golden, publish_body, resolve, runtime_id

sys.path.insert(0, str(ROOT / "schema"))

import signature_vectors  # noqa: E402

SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
PUBLIC, OTHER_PUBLIC = (signature_vectors.public_key(secret) for secret in (SECRET, OTHER_SECRET))
FILES = {"GoldBase": "Ah8jb_uZCRG", "GoldMid": "sBuKF_uZCRG"}


def key_id(public):
    return signature_vectors.sha(public)[:16]


def word(public, name="ci"):
    return f"{name}:{key_id(public)}:{public.hex()}"


def sized(data, digest):
    return {"digest": digest, "size": len(data)}


def requires(package):
    given = {m["build_id"] for m in publish_body()["sysimage_modules"]}
    modules = golden(f"{package}-{FILES[package]}")["required_modules"]
    return [{"uuid": m.get("uuid") or "", "build_id": m["build_id"]} for m in modules if m["build_id"] not in given]


def build_id(package):
    header = golden(f"{package}-{FILES[package]}")
    return header["checksum"] + header["modules"][0]["build_id"]


def statement(a, body):
    package = a["node"]["name"]
    ji, image = compiled(package, FILES[package])
    module = golden(f"{package}-{FILES[package]}")["modules"][0]
    return dict(runtime=runtime_id(), sysimage=SYSIMAGE, key=a["key"], name=package, uuid=module["uuid"],
                build_id=build_id(package), ji=sized(ji, a["ji"]), image=sized(image, a["image"]), requires=requires(package),
                inputs=[], provenance=body["provenance"])


def sign(body, secret=SECRET):
    """The body with every artefact signed."""
    body = copy.deepcopy(body)
    public = signature_vectors.public_key(secret)
    for a in body["artefacts"]:
        said = statement(a, body)
        a["signature"] = {"key": public.hex(), "requires": signature_vectors.requires_digest(said["requires"]),
                          "bytes": signature_vectors.sign(secret, signature_vectors.statement(said, public)).hex()}
    return body


@pytest.fixture
def both(api):
    """Two uploaded artefacts as an unsigned publish body."""
    base = artefact(api, "GoldBase", FILES["GoldBase"])[0]
    return publish_body(base, artefact(api, "GoldMid", FILES["GoldMid"], deps=[base["key"]])[0])


def send(api, body, token=None):
    return api.post("/v1/publish", body, token=token or api.token, valid=True)


def keys_of(body):
    return [a["key"] for a in body["artefacts"]]


def offered(api, body, **more):
    found = resolve(api, *keys_of(body), **more)
    return {r["name"]: r for s in found for r in s["records"]}


def test_a_signature_is_stored_and_told(api, both):
    assert send(api, sign(both)).status == 200
    for name, record in offered(api, both).items():
        sent = next(a for a in sign(both)["artefacts"] if a["node"]["name"] == name)
        assert record["signature"] == sent["signature"]
        single = api.get(f"/v1/artefacts/{runtime_id()}/{SYSIMAGE}/{record['key']}").json
        assert single["signature"] == sent["signature"]
        assert single["writer"] == "writer0" and single["provenance"] == both["provenance"]


def flip(text):
    return ("1" if text[0] == "0" else "0") + text[1:]


@pytest.mark.parametrize("change", [
    lambda b: b["artefacts"][1]["signature"].update(bytes=flip(b["artefacts"][1]["signature"]["bytes"])),
    lambda b: b["artefacts"][1]["signature"].update(key=OTHER_PUBLIC.hex()),
    lambda b: b["artefacts"][1]["signature"].update(requires=flip(b["artefacts"][1]["signature"]["requires"])),
    lambda b: b["artefacts"][1].update(signature=b["artefacts"][0]["signature"]),
    lambda b: b["provenance"].update(host="elsewhere"),
    lambda b: b["provenance"].update(user="someone"),
    lambda b: b["provenance"].update(run="https://ci.example/2"),
    lambda b: b["provenance"].update(client="other"),
    lambda b: b["provenance"].update(created_s=2),
])
def test_a_wrong_signature_is_refused_with_all_that_came_along(api, both, change):
    body = sign(both)
    change(body)
    answer = send(api, body)
    assert (answer.status, answer.code) == (422, "bad-signature")
    assert len(answer.json["keys"]) == 1
    assert offered(api, both) == {}


@pytest.mark.parametrize("signature", [
    {}, [], "x", {"key": PUBLIC.hex(), "requires": "0" * 64}, {"key": "zz", "requires": "0" * 64, "bytes": "00" * 64},
    {"key": PUBLIC.hex(), "requires": "0" * 64, "bytes": "00" * 63},
    {"key": PUBLIC.hex(), "requires": "0" * 64, "bytes": "0g" + "00" * 63},
])
def test_what_has_not_the_shape_of_a_signature_is_a_bad_request(api, both, signature):
    both["artefacts"][0]["signature"] = signature
    refused(api.post("/v1/publish", both, token=api.token), 400, "bad-request")


def test_a_lane_may_take_signed_artefacts_only_and_the_server_known_keys_only(start):
    api = start("--signed-lanes", "main,release/*", "--trusted-keys", f"{word(PUBLIC)},{word(OTHER_PUBLIC, 'next')}")
    body = publish_body(artefact(api, "GoldBase", FILES["GoldBase"])[0])
    answer = send(api, body)
    assert (answer.status, answer.code) == (422, "bad-signature") and "only what is signed" in answer.json["detail"]
    answer = send(api, sign(body, bytes(32)))
    assert (answer.status, answer.code) == (422, "bad-signature") and "takes no signatures" in answer.json["detail"]
    admin(api.server, "lane", "create", "--name", "pr/1", "--parent", "main")
    assert send(api, body | {"lane": "pr/1"}).status == 200
    assert send(api, sign(body, OTHER_SECRET)).status == 200


def test_a_mistake_in_the_servers_keys_is_said_at_the_start(tmp_path):
    from processes import bin_dir
    import subprocess

    done = subprocess.run([bin_dir() / "jicached", "serve", "--data", tmp_path, "--listen", "127.0.0.1:0", "--trusted-keys",
                           word(PUBLIC).replace(key_id(PUBLIC), "0" * 16)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "signatures.trusted_keys" in done.stderr and key_id(PUBLIC) in done.stderr


def test_readers_name_their_keys_and_hear_what_is_left_over(api, both):
    assert send(api, sign({**both, "artefacts": both["artefacts"][:1]})).status == 200
    assert send(api, sign({**both, "artefacts": both["artefacts"][1:]}, OTHER_SECRET)).status == 200
    body = {"sysimage": SYSIMAGE, "runtimes": [runtime_id()], "keys": keys_of(both)}
    answer = api.post("/v1/resolve", body | {"signers": [PUBLIC.hex()]}, valid=True).json
    assert [r["name"] for s in answer["sets"] for r in s["records"]] == ["GoldBase"]
    assert answer["untrusted"] == [{"key": keys_of(both)[1], "signer": OTHER_PUBLIC.hex()}]
    answer = api.post("/v1/resolve", body | {"signers": [PUBLIC.hex(), OTHER_PUBLIC.hex()]}, valid=True).json
    assert len(answer["sets"][0]["records"]) == 2 and "untrusted" not in answer
    refused(api.post("/v1/resolve", body | {"signers": [PUBLIC.hex()] * 65}), 413, "too-large")


# ---- recalls


def recall(api, who, *more):
    done = admin(api.server, "recall", "--by", who, "--json", *more, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done


def test_recall_says_what_would_go_and_then_takes_it_beside_the_server(api, both):
    assert send(api, sign({**both, "artefacts": both["artefacts"][:1]})).status == 200
    assert send(api, sign({**both, "artefacts": both["artefacts"][1:]}, OTHER_SECRET)).status == 200
    said = recall(api, key_id(PUBLIC))
    assert (said["kind"], said["artefacts"], said["dependents"], said["done"]) == ("key", 1, 1, False)
    assert len(offered(api, both)) == 2
    assert recall(api, key_id(PUBLIC), "--yes") == said | {"done": True}
    assert offered(api, both) == {}
    listed = json.loads(admin(api.server, "recalls", "--json").stdout)["recalls"]
    assert [(r["kind"], r["who"], r["artefacts"]) for r in listed] == [("key", PUBLIC.hex(), 2)]

    builds = [build_id(name) for name in FILES]
    body = {"sysimage": SYSIMAGE, "runtimes": [runtime_id()], "keys": keys_of(both), "have": builds + ["0" * 32]}
    assert api.post("/v1/resolve", body, valid=True).json["recalled"] == builds


def test_what_was_recalled_stays_away_until_it_is_undone(api, both):
    other_writer = make_token(api.server, "another", "read,write")
    assert send(api, sign(both)).status == 200
    recall(api, word(PUBLIC), "--yes")
    for name, file in FILES.items():
        for data in compiled(name, file):
            api.put_blob(data, token=other_writer)
    answer = send(api, both, token=other_writer)
    assert (answer.status, answer.code) == (422, "recalled") and sorted(answer.json["keys"]) == sorted(keys_of(both))
    assert "done" not in admin(api.server, "recall", "--by", key_id(PUBLIC), "--undo", check=False).stdout
    undone = admin(api.server, "recall", "--by", word(PUBLIC), "--undo", check=False)
    assert undone.returncode == 1 and "nothing of" in undone.stderr  # it was undone by the line before
    assert send(api, sign(both), token=other_writer).status == 200


def test_tokens_and_runs_are_recalled_by_name(api, both):
    assert send(api, both).status == 200
    assert recall(api, "https://ci.example/1")["artefacts"] == 2
    assert recall(api, "writer0")["artefacts"] == 2
    assert recall(api, "token:writer0", "--yes")["artefacts"] == 2
    assert offered(api, both) == {}
    nobody = recall(api, "nobody")
    assert nobody.returncode == 1 and "nobody" in nobody.stderr
    usage = admin(api.server, "recall", check=False)
    assert usage.returncode == 2 and "--by" in usage.stderr
