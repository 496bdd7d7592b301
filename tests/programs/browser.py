"""A headless Chromium, driven over the DevTools protocol. Skips the test, visibly, where there is none."""
import asyncio
import json
import pathlib
import shutil
import subprocess
import tempfile

import support  # noqa: F401  (finds harness)
from harness import check, import_websockets, skip_all

websockets = import_websockets()

chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if chromium is None:
    skip_all("no chromium")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--force-color-profile=srgb", "--remote-debugging-port=0"]


class Browser:
    """A Chromium with a profile of its own: `async with Browser() as browser`. It trusts the key of this pin
    ("sha256/…"), whoever signed its certificate."""

    def __init__(self, pin=None):
        self.flags = FLAGS + ([f"--ignore-certificate-errors-spki-list={pin.removeprefix('sha256/')}"] if pin else [])

    async def __aenter__(self):
        self.profile = tempfile.mkdtemp(prefix="sansock-chromium-")
        self.process = subprocess.Popen([chromium, *self.flags, f"--user-data-dir={self.profile}", "about:blank"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = pathlib.Path(self.profile, "DevToolsActivePort")
        while not (port_file.exists() and port_file.read_text().count("\n") >= 1):
            check(self.process.poll() is None, "chromium has ended")
            await asyncio.sleep(0.05)
        port, path = port_file.read_text().split("\n")[:2]
        self.ws = await websockets.connect(f"ws://127.0.0.1:{port}{path}", max_size=None, ping_interval=None)
        self.id = 0
        self.answers = {}
        self.problems = []  # what the page threw or logged
        self.reader = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        self.reader.cancel()
        await self.ws.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    async def read(self):
        async for text in self.ws:
            message = json.loads(text)
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            elif message["method"] == "Runtime.exceptionThrown":
                self.problems.append(message["params"]["exceptionDetails"])
            elif message["method"] == "Log.entryAdded":
                entry = message["params"]["entry"]
                # A server that is away is one of the cases here; the browser notes each attempt.
                if "ERR_CONNECTION_REFUSED" not in entry["text"]:
                    self.problems.append(entry)

    async def call(self, method, session=None, **parameters):
        self.id += 1
        answer = self.answers[self.id] = asyncio.get_running_loop().create_future()
        message = {"id": self.id, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self.ws.send(json.dumps(message))
        result = await asyncio.wait_for(answer, 60)
        check("error" not in result, f"{method}: {result.get('error')}")
        return result["result"]


class Tab:
    """A page, of which JavaScript is asked."""

    def __init__(self, browser):
        self.browser = browser

    async def attach(self):
        target = await self.browser.call("Target.createTarget", url="about:blank")
        attached = await self.browser.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        return self

    async def call(self, method, **parameters):
        return await self.browser.call(method, self.session, **parameters)

    async def value(self, expression):
        """What it is, or what its promise comes to."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        check("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    async def until(self, expression, seconds=60):
        for _ in range(seconds * 20):
            if await self.value(f"Boolean({expression})"):
                return
            await asyncio.sleep(0.05)
        check(False, f"not true after {seconds} s: {expression}; the page: {await self.value('document.body.innerText')}")
