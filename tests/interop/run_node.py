#!/usr/bin/python3
"""run_node.py SCRIPT PROGRAM ADAPTER : runs a script of this directory under Node with the npm package
ws, or skips, visibly. SCRIPT prints TAP. For ws_client.mjs and deflate_ws_client.mjs PROGRAM is a server,
which is started here."""
import json
import pathlib
import shutil
import subprocess
import sys

from harness import Program, skip_all, skip_without_adapter, skip_without_deflate, socket_path

script, program, adapter = sys.argv[1:]
skip_without_adapter(program, adapter)
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
    return subprocess.run([node, here / script, *arguments], cwd=here, check=False).returncode


if script == "deflate_ws_client.mjs":
    options = ["--port", 0, "--adapter", adapter, "--deflate"]
    with Program(program, *options, "on") as server, Program(program, *options, "no-context") as forgetful:
        sys.exit(run(server.url, forgetful.url))
if script == "ws_client.mjs":
    path = socket_path()
    options = ["--adapter", adapter, "--subprotocol", "second"]
    with Program(program, "--port", 0, "--unix", path, *options) as server:
        sys.exit(run(server.url, f"ws+unix:{path}:/x?y=1"))
sys.exit(run(str(pathlib.Path(program).resolve()), adapter))
