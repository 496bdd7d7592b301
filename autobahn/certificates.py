"""Certificates for runs over TLS, made by the command `openssl` when they are needed."""

import dataclasses
import pathlib
import shutil
import subprocess

VALID_DAYS = 2
NAMES = ("DNS:localhost", "IP:127.0.0.1")


class Missing(Exception):
    """There is no command `openssl`."""


class Broken(Exception):
    """The command did not do what it is for."""


@dataclasses.dataclass(frozen=True)
class Certificates:
    """Files in PEM: the root that clients trust, and what a server shows."""

    ca: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path

    def server_options(self):
        return ["--tls-cert", self.certificate, "--tls-key", self.key]


def run_openssl(*arguments):
    command = ["openssl", *(str(word) for word in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr}")


def request(key, subject, *arguments):
    run_openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                "-subj", f"/CN={subject}", *arguments)


def make(directory, names=NAMES):
    """A root of its own and a certificate for `names` that it signs, in `directory`."""
    if shutil.which("openssl") is None:
        raise Missing("no command openssl (Debian: openssl)")
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    ca_key, asked, extensions = directory / "ca.key", directory / "server.csr", directory / "extensions"
    # What else makes it a root comes from the configuration of the command.
    request(ca_key, "conformance root", "-x509", "-days", VALID_DAYS, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-out", made.ca)
    request(made.key, "conformance server", "-out", asked)
    extensions.write_text(f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
                          "authorityKeyIdentifier=keyid\n")
    run_openssl("x509", "-req", "-in", asked, "-CA", made.ca, "-CAkey", ca_key, "-CAcreateserial",
                "-days", VALID_DAYS, "-extfile", extensions, "-out", made.certificate)
    return made
