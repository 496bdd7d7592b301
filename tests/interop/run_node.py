#!/usr/bin/python3
"""run_node.py SCRIPT PROGRAM ADAPTER [MAKE_CERTIFICATES] : runs a script of this directory under Node with
the npm package ws, or skips, visibly; over TLS if certificates can be made. SCRIPT prints TAP. For
ws_client.mjs and deflate_ws_client.mjs PROGRAM is a server, which is started here."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

from harness import Program, skip_all, skip_without_adapter, skip_without_deflate, socket_path
from tls import make_certificates_or_skip

script, program, adapter = sys.argv[1:4]
skip_without_adapter(program, adapter)
certificates = make_certificates_or_skip(sys.argv[4]) if len(sys.argv) > 4 else None
if script.startswith("deflate_"):
    skip_without_deflate(program)
here = pathlib.Path(__file__).resolve().parent
node = shutil.which("node")
if node is None:
    skip_all("no node")
package = here / "node_modules" / "ws" / "package.json"
if not package.exists():
    skip_all("no npm package ws: run `npm ci` in tests/interop")
wanted = json.loads((here / "package.json").read_text())["dependencies"]["ws"]
if json.loads(package.read_text())["version"] != wanted:
    skip_all(f"the npm package ws is not version {wanted}: run `npm ci` in tests/interop")


def run(*arguments):
    environment = dict(os.environ)
    if certificates:
        environment["NODE_EXTRA_CA_CERTS"] = certificates.path("ca.pem")
        environment["CERTIFICATES"] = certificates.directory
    return subprocess.run([node, here / script, *arguments], cwd=here, env=environment, check=False).returncode


if script == "deflate_ws_client.mjs":
    options = ["--port", 0, "--adapter", adapter, "--deflate"]
    with Program(program, *options, "on") as server, Program(program, *options, "no-context") as forgetful:
        sys.exit(run(server.url, forgetful.url))
if script == "ws_client.mjs":
    path = socket_path()
    options = ["--adapter", adapter, "--subprotocol", "second"]
    with contextlib.ExitStack() as servers:
        servers.enter_context(Program(program, "--unix", path, *options))
        tls = certificates.arguments("server") if certificates else []
        server = servers.enter_context(Program(program, "--port", 0, *tls, *options))
        sys.exit(run(server.url, f"ws+unix:{path}:/x?y=1"))
sys.exit(run(str(pathlib.Path(program).resolve()), adapter))
