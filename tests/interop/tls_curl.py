#!/usr/bin/python3
"""tls_curl.py CHAT ADAPTER MAKE_CERTIFICATES : curl as the client of the chat's port over TLS: pages, and
the upgrade to a WebSocket."""
import base64
import hashlib
import json
import shutil
import sys

from harness import Program, Tap, check, check_equal, run_program, skip_all, skip_without_adapter
from tls import make_certificates_or_skip

chat, adapter, make_certificates = sys.argv[1:]
if shutil.which("curl") is None:
    skip_all("no curl")
skip_without_adapter(chat, adapter)
certificates = make_certificates_or_skip(make_certificates)
tap = Tap()
server = Program(chat, "--port", 0, "--adapter", adapter, *certificates.arguments("server"))
here = f"https://127.0.0.1:{server.port}/"
TRUST = ["--cacert", certificates.path("ca.pem")]


def curl(*arguments):
    return run_program("curl", "--silent", "--show-error", "--max-time", "60", *arguments)


def fetch(*arguments):
    """The body, after checks that curl trusted it."""
    result = curl(*TRUST, *arguments)
    check_equal((result.returncode, result.stderr), (0, ""), f"exit code and stderr of {arguments}")
    return result.stdout


@tap.case("the page, its parts and the health check, with the certificate verified")
def _():
    check("<html" in fetch(here), "no page")
    for name in ("page.css", "page.js", "connection.js"):
        check(len(fetch(here + name)) > 500, f"no {name}")
    check_equal(json.loads(fetch(here + "healthz"))["status"], "ok", "the status")


@tap.case("by name, address, and with whichever version and protocol curl begins")
def _():
    for options in (["--tlsv1.3"], ["--tls-max", "1.2"], ["--http1.1"], ["--http2"], ["--no-alpn"], ["--no-sessionid"],
                    ["--resolve", f"localhost:{server.port}:127.0.0.1"]):
        check_equal(json.loads(fetch(*options, here + "healthz"))["status"], "ok", f"the status with {options}")
    version = fetch("--http2", "--output", "/dev/null", "--write-out", "%{http_version} %{ssl_verify_result}", here)
    check_equal(version, "1.1 0", "the version of HTTP and the result of verification")


@tap.case("several requests of one run of curl, each on a connection of its own")
def _():
    urls = [here + "healthz"] * 5
    answers = fetch(*urls).splitlines()
    check_equal([json.loads(answer)["status"] for answer in answers], ["ok"] * 5, "the statuses")


@tap.case("no trust, another name, TLS before 1.2: curl fails as it should")
def _():
    check_equal(curl(here).returncode, 60, "the exit code without trust")
    wrong = f"https://elsewhere.test:{server.port}/"
    result = curl(*TRUST, "--resolve", f"elsewhere.test:{server.port}:127.0.0.1", wrong)
    check_equal(result.returncode, 60, "the exit code for another name")
    result = curl("--insecure", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0", here)
    check_equal(result.returncode, 35, f"the exit code with TLS 1.1 ({result.stderr})")


@tap.case("http:// to the port for TLS says what to do")
def _():
    result = curl("--write-out", "%{http_code}", here.replace("https:", "http:"))
    check_equal(result.returncode, 0, f"the exit code ({result.stderr})")
    check(result.stdout.endswith("400"), f"the answer is {result.stdout}")
    check("https://" in result.stdout, f"the answer is {result.stdout}")


@tap.case("https:// to a port without TLS fails at once")
def _():
    with Program(chat, "--port", 0, "--adapter", adapter) as plain:
        result = curl("--insecure", f"https://127.0.0.1:{plain.port}/")
        check_equal(result.returncode, 35, f"the exit code ({result.stderr})")


@tap.case("an upgrade by hand gets 101 and the right accept value")
def _():
    key = base64.b64encode(b"sixteen bytes...").decode()
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    # It goes on for good: what has come within a second is looked at.
    result = run_program("curl", "--silent", "--max-time", "1", "--http1.1", "--include", *TRUST,
                         "--header", "Connection: Upgrade", "--header", "Upgrade: websocket",
                         "--header", "Sec-WebSocket-Version: 13", "--header", f"Sec-WebSocket-Key: {key}",
                         "--header", f"Origin: {here.rstrip('/')}", here + "chat")
    check(result.stdout.startswith("HTTP/1.1 101 "), f"the answer is {result.stdout}")
    check(base64.b64encode(digest).decode() in result.stdout, f"the answer is {result.stdout}")


@tap.case("pages of other sites may not connect to the chat, and those of http:// are another site")
def _():
    for origin in ("https://evil.example", here.replace("https:", "http:").rstrip("/")):
        result = run_program("curl", "--silent", "--max-time", "60", "--http1.1", "--include", *TRUST,
                             "--header", "Connection: Upgrade", "--header", "Upgrade: websocket",
                             "--header", "Sec-WebSocket-Version: 13",
                             "--header", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                             "--header", f"Origin: {origin}", here + "chat")
        check(result.stdout.startswith("HTTP/1.1 403 "), f"the answer to {origin} is {result.stdout}")


@tap.case("after all that the server still runs and stops with 0")
def _():
    check(server.alive(), f"it ended: {server.stderr}")
    check_equal(server.stop(), 0, "the exit code")
    check_equal("".join(server.stderr), "", "stderr")


sys.exit(tap.run())
