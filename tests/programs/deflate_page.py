#!/usr/bin/python3
"""deflate_page.py ECHO_SERVER [MAKE_CERTIFICATES] : a page in a headless Chromium, and our echo_server, with
compression, and over TLS if certificates can be made. Skips, visibly, where there is no Chromium."""
import json
import sys

import support  # noqa: F401  (finds harness)
from browser import Browser, Tab
from harness import Program, Tap, check, check_equal, skip_without_deflate
from tls import make_certificates_or_skip

echo_server = sys.argv[1]
skip_without_deflate(echo_server)
certificates = make_certificates_or_skip(sys.argv[2]) if len(sys.argv) > 2 else None
tap = Tap()

# Sends each message and awaits its echo: text and bytes of 0 B to 1 MiB, what shrinks a lot, a little and not
# at all, some of it twice. Says what was agreed on and how many echoes were right.
TALK = """
(async (url) => {
  const ws = new WebSocket(url);
  ws.binaryType = 'arraybuffer';
  await new Promise((resolve, reject) => { ws.onopen = resolve; ws.onerror = () => reject(new Error('no connection')); });
  const ask = (message) => new Promise((resolve, reject) => {
    ws.onmessage = (event) => resolve(event.data);
    ws.onclose = (event) => reject(new Error(`closed with ${event.code}`));
    ws.send(message);
  });
  let state = 1;
  const noise = (size) => Uint8Array.from({length: size}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
  const wrong = [];
  let right = 0;
  for (const size of [0, 1, 63, 64, 125, 126, 1000, 5000, 65535, 65536, 1 << 20]) {
    const text = 'aé€😀~'.repeat(size / 11) + '.'.repeat(size % 11);
    const bytes = noise(size);
    for (const message of [text, bytes, new Uint8Array(size), bytes.slice(0, 3000), text]) {
      const echo = await ask(message);
      const good = typeof message === 'string' ? echo === message : same(new Uint8Array(echo), message);
      if (good) right += 1; else wrong.push(size);
    }
  }
  const closed = new Promise((resolve) => { ws.onclose = resolve; });
  ws.close(1000);
  const {code, wasClean} = await closed;
  return {extensions: ws.extensions, right, wrong, code, wasClean};
})(URL)
"""


async def talk(url):
    async with Browser(certificates and certificates.text("server.pin")) as browser:
        tab = await Tab(browser).attach()
        result = await tab.value(TALK.replace("(URL)", f"({json.dumps(url)})"))
        check_equal(browser.problems, [], "what the page threw or logged")
        return result


def add_case(name, mode, extensions):
    @tap.case(name)
    async def _():
        tls = certificates.arguments("server") if certificates else []
        with Program(echo_server, "--port", 0, "--deflate", mode, *tls) as server:
            result = await talk(server.url)
        check_equal(result["wrong"], [], "the sizes of wrong echoes")
        check_equal((result["right"], result["code"], result["wasClean"]), (55, 1000, True), "echoes and the end")
        check_equal(result["extensions"].split("; ")[0], extensions[0] if extensions else "", "the extension")
        for parameter in extensions[1:]:
            check(parameter in result["extensions"], f"{parameter} is not in: {result['extensions']}")


add_case("a browser that compresses, with context", "on", ["permessage-deflate", "client_max_window_bits=12"])
add_case("a browser that compresses, without context", "no-context",
         ["permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"])
add_case("a browser whose offer is declined", "off", [])

sys.exit(tap.run())
