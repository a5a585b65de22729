#!/usr/bin/env python3
"""Prints schema/signature-vectors.json: a second implementation of schema/signature.md (and of Ed25519, after RFC 8032
section 6), which the unit test compares with the first. Run `python3 schema/signature_vectors.py >
schema/signature-vectors.json` after a new version of the encoding."""
import hashlib
import json

from address_vectors import list_, sha, string

# ---- Ed25519, slow and plain

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, a)
        a, n = add(a, a), n >> 1
    return q


def base():
    y = 4 * pow(5, P - 2, P) % P
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


B = base()


def compress(a):
    z = pow(a[2], P - 2, P)
    x, y = a[0] * z % P, a[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def expand(secret):
    h = hashlib.sha512(secret).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return a, h[32:]


def public_key(secret):
    return compress(times(expand(secret)[0], B))


def sha512_number(data):
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % L


def sign(secret, message):
    a, prefix = expand(secret)
    key = compress(times(a, B))
    r = sha512_number(prefix + message)
    point = compress(times(r, B))
    return point + ((r + sha512_number(point + key + message) * a) % L).to_bytes(32, "little")


# ---- the statement


def requires_digest(modules):
    return sha(list_([f'{m["uuid"]}/{m["build_id"]}' for m in modules]))


def inputs(v):
    return list_([f'{i["type"]}:{i.get("sha256", "")}:{i["path"]}' for i in v])


def blob(b):
    return string(b["digest"]) + string(str(b["size"])) if b else string("") + string("")


def statement(v, key):
    p = v["provenance"]
    return b"".join([
        string("jicache-record-1"), string(key.hex()), string(v["runtime"]), string(v["sysimage"]), string(v["key"]),
        string(v["name"]), string(v["uuid"]), string(v["build_id"]), blob(v["ji"]), blob(v["image"]),
        string(requires_digest(v["requires"])), inputs(v["inputs"]), string(p["host"]), string(p["user"]),
        string(p["run"]), string(p["client"]), string(str(p["created_s"]))])


RECORDS = [
    dict(secret="00" * 32, runtime="julia-1.11.1-x86_64-linux-gnu-" + "5f" * 32, sysimage="da" * 32, key="a7" * 32,
         name="GoldBase", uuid="a1b2c3d4-0001-4000-8000-00000000000a", build_id="fafbfcfde2895a4100000455c88a6f4e",
         ji=dict(digest="60" * 32, size=1054), image=dict(digest="81" * 32, size=17104), requires=[], inputs=[],
         provenance=dict(host="builder", user="ci", run="https://ci.example/1", client="jicache 0.1.0",
                         created_s=1764000000)),
    dict(secret="0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
         runtime="julia-1.5.3-x86_64-linux-gnu-" + "00" * 32, sysimage="01" * 32, key="02" * 32, name="λExt", uuid="",
         build_id="00000205201ed8d4", ji=dict(digest="03" * 32, size=1), image=None,
         requires=[dict(uuid="ade2ca70-3891-5945-98fb-dc099432e06a", build_id="fafbfcfd81a667840000048bc9335fdf"),
                   dict(uuid="", build_id="00000205201ed8d5"),
                   dict(uuid="2a0f44e3-6c83-55bd-87e4-b1978d98bd5f", build_id="fafbfcfd00000001000002052ed58659"),
                   dict(uuid="", build_id="00000205201ed8d5")],
         inputs=[dict(type="file", path="@depot/packages/A/b/data.csv", sha256="0c" * 32),
                 dict(type="absent", path="@depot/packages/A/b/none"),
                 dict(type="directory", path="@jicache/2a0f44e3-6c83-55bd-87e4-b1978d98bd5f/x", sha256="0d" * 32)],
         provenance=dict(host="", user="", run="", client="", created_s=0)),
]


def main():
    vectors = []
    for v in RECORDS:
        secret = bytes.fromhex(v["secret"])
        key = public_key(secret)
        encoded = statement(v, key)
        vectors.append(dict(v, public_key=key.hex(), key_id=sha(key)[:16], requires_digest=requires_digest(v["requires"]),
                            statement_bytes=len(encoded), statement_sha256=sha(encoded), signature=sign(secret, encoded).hex()))
    print(json.dumps(dict(records=vectors), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
