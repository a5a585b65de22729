#!/usr/bin/env python3
"""Prints schema/address-vectors.json: a second implementation of schema/address.md, which the unit test compares with
the first. Run `python3 schema/address_vectors.py > schema/address-vectors.json` after a new version of the encoding."""
import hashlib
import json
import struct


def string(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def list_(texts):
    data = sorted({t.encode() for t in texts})
    return struct.pack("<I", len(data)) + b"".join(struct.pack("<I", len(t)) + t for t in data)


def node(v):
    return b"".join([
        string("jicache-node-1"), string(v["kind"]), string(v["name"]), string(v["uuid"]), string(v["source"]),
        string(v["build"]), string(v["preferences"]), list_(v["deps"]), list_(v["extensions"])])


def runtime(v):
    bundled = [f'{m["name"]}/{m["uuid"]}/{m["build_id"]}' for m in v["bundled"]]
    return b"".join([
        string("jicache-runtime-1"), string(v["version"]), string(v["branch"]), string(v["commit"]),
        string(v["uname"]), string(v["arch"]), string(v["triplet"]), string(str(v["word_bits"])),
        string(v["flags"]), string(v["cpu"]), list_(bundled)])


def sha(data):
    return hashlib.sha256(data).hexdigest()


NODES = [
    dict(kind="stdlib", name="Dates", uuid="ade2ca70-3891-5945-98fb-dc099432e06a", source="julia", build="",
         preferences="", deps=[], extensions=[]),
    dict(kind="package", name="GoldBase", uuid="a1b2c3d4-0001-4000-8000-00000000000a",
         source="git-tree-sha1:0123456789abcdef0123456789abcdef01234567", build="", preferences="", deps=[],
         extensions=[]),
    dict(kind="package", name="NoUuid", uuid="", source="content:" + "ab" * 32, build="", preferences="", deps=[],
         extensions=[]),
    dict(kind="package", name="GoldMid", uuid="a1b2c3d4-0002-4000-8000-00000000000b", source="content:" + "0f" * 32,
         build="content:" + "1e" * 32, preferences='{"backend":"λ\\"q\\"","depth":3,"on":true,"scale":1.0}',
         deps=["@GoldBase", "@Dates"], extensions=[]),
    dict(kind="package", name="GoldTop", uuid="a1b2c3d4-0003-4000-8000-00000000000c",
         source="git-tree-sha1:" + "c0" * 20, build="", preferences="", deps=["@GoldMid", "@Dates", "@GoldBase"],
         extensions=["a1b2c3d4-0005-4000-8000-00000000000e/GoldWeakMidExt",
                     "a1b2c3d4-0005-4000-8000-00000000000e/AnotherExt"]),
    dict(kind="extension", name="GoldWeakMidExt", uuid="93f136fc-54ae-5b6a-8234-f951e2175db1", source="parent",
         build="", preferences="", deps=["@GoldMid", "@GoldBase"], extensions=[]),
]

BUNDLED = [
    dict(name="Dates", uuid="ade2ca70-3891-5945-98fb-dc099432e06a", build_id="fafbfcfd81a667840000048bc9335fdf"),
    dict(name="Base64", uuid="2a0f44e3-6c83-55bd-87e4-b1978d98bd5f", build_id="fafbfcfd00000001000002052ed58659"),
    dict(name="Dates", uuid="ade2ca70-3891-5945-98fb-dc099432e06a", build_id="fafbfcfd000000020000048bc9335fdf"),
]

RUNTIMES = [
    dict(version="1.11.1", branch="HEAD", commit="8f5b7ca12ad48c6d740e058312fc8cf2bbe67848", uname="Linux",
         arch="x86_64", triplet="x86_64-linux-gnu", word_bits=64,
         flags="pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2", cpu="target:generic;znver3,clone_all",
         bundled=BUNDLED),
    dict(version="1.5.3", branch="", commit="", uname="Linux", arch="x86_64", triplet="x86_64-linux-gnu",
         word_bits=64, flags="", cpu="", bundled=[]),
    dict(version="1.12.0-rc1+4.i686", branch="release-1.12", commit="0" * 40, uname="NT", arch="i686",
         triplet="i686-w64-mingw32", word_bits=32, flags="pkgimages=0", cpu="host:znver4;+avx2,+fma",
         bundled=[dict(name="Odd", uuid="", build_id="00000205201ed8d4")]),
]


def main():
    keys = {}
    nodes = []
    for given in NODES:
        v = dict(given, deps=[keys[d[1:]] for d in given["deps"]])
        encoded = node(v)
        keys[v["name"]] = sha(encoded)
        nodes.append(dict(v, encoded_bytes=len(encoded), key=keys[v["name"]]))
    runtimes = []
    for v in RUNTIMES:
        encoded = runtime(v)
        name = f'julia-{v["version"]}-{v["triplet"]}-{sha(encoded)}'
        runtimes.append(dict(v, encoded_bytes=len(encoded), id=name))
    print(json.dumps(dict(nodes=nodes, runtimes=runtimes), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
