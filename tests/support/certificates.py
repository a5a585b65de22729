"""A certificate authority for tests, by the openssl program: certificates for servers and clients, revoked and expired ones."""

import pathlib
import subprocess


def openssl(folder, *words):
    subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


class Authority:
    """`certificate` is its own; issue() gives the paths of a chain and its key."""

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True)
        self.certificate, self.key, self.issued = self.folder / "ca.pem", self.folder / "ca.key", 0
        openssl(self.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 3650, "-subj",
                f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.key, "-out", self.certificate)
        (self.folder / "index").touch()
        (self.folder / "ca.cnf").write_text(f"[ca]\ndefault_ca = x\n[x]\ndatabase = {self.folder}/index\ndefault_md = sha256\n"
                                            f"default_crl_days = 30\n")

    def issue(self, subject, names="", purpose="serverAuth", days=365):
        """subject: "/CN=ci-1"; names: as subjectAltName of openssl, "DNS:localhost,IP:127.0.0.1"."""
        self.issued += 1
        base = self.folder / f"{self.issued}"
        key, request, chain, more = (base.with_suffix(f".{end}") for end in ("key", "csr", "pem", "ext"))
        more.write_text(f"basicConstraints=critical,CA:FALSE\nextendedKeyUsage={purpose}\n" + (f"subjectAltName={names}\n" if names else ""))
        openssl(self.folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                "-keyout", key, "-out", request)
        openssl(self.folder, "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-set_serial", 1000 + self.issued,
                "-days", days, "-extfile", more, "-out", chain)
        return chain, key

    def server(self, **more):
        return self.issue("/CN=localhost", "DNS:localhost,IP:127.0.0.1", **more)

    def client(self, subject, names="", **more):
        return self.issue(subject, names, "clientAuth", **more)

    def self_signed(self, subject):
        chain, key = self.folder / "self.pem", self.folder / "self.key"
        openssl(self.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 365, "-subj", subject,
                "-addext", "extendedKeyUsage=clientAuth", "-keyout", key, "-out", chain)
        return chain, key

    def revoke(self, *chains):
        """The revocation list, of these and all before."""
        out = self.folder / "crl.pem"
        signer = ["-config", self.folder / "ca.cnf", "-keyfile", self.key, "-cert", self.certificate]
        for chain in chains:
            openssl(self.folder, "ca", *signer, "-revoke", chain)
        openssl(self.folder, "ca", *signer, "-gencrl", "-out", out)
        return out
