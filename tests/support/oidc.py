"""An OIDC issuer: keys, signed tokens, and a server on a free port of this machine that publishes the keys."""

import base64
import http.server
import json
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self, kid, algorithm="RS256"):
        self.kid, self.algorithm = kid, algorithm
        self.key = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())

    def public(self):
        numbers = self.key.public_key().public_numbers()
        head = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "RS256":
            return head | {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        return head | {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}

    def sign(self, text):
        if self.algorithm == "RS256":
            return self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        r, s = utils.decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, claims, **header):
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"} | header
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
        return f"{text}.{b64(self.sign(text.encode()))}"


class Issuer:
    """`answers` overrides what a path is answered with: bytes, a status, or a function that is called with the handler."""

    def __init__(self, *keys):
        self.keys, self.asked, self.answers = list(keys), [], {}
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                answer = issuer.answers.get(self.path, issuer.document(self.path))
                if callable(answer):
                    answer(self)
                    return
                status, body = (answer, b"") if isinstance(answer, int) else (200, answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def document(self, path):
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        if path == "/keys":
            return json.dumps({"keys": [key.public() for key in self.keys]}).encode()
        return 404

    def fetches(self):
        return self.asked.count("/keys")

    def claims(self, ref="refs/heads/main", repository="acme/app", audience="jicache", **more):
        now = int(time.time())
        return {"iss": self.url, "aud": audience, "sub": f"repo:{repository}:ref:{ref}", "repository": repository, "ref": ref,
                "iat": now, "nbf": now, "exp": now + 300} | more

    def token(self, *arguments, key=None, **more):
        return (key or self.keys[0]).token(self.claims(*arguments, **more))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
