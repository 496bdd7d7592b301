#!/usr/bin/python3
"""chat_page.py CHAT [SCREENSHOT_DIRECTORY] : the chat's page in a headless Chromium, driven over the
DevTools protocol. Skips, visibly, where there is no Chromium."""
import asyncio
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import support  # noqa: F401  (finds harness)
from harness import Program, Tap, check, check_equal, free_port, skip_all

try:
    import websockets
except ImportError:
    skip_all("no python3-websockets")

chat = sys.argv[1]
screenshots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if chromium is None:
    skip_all("no chromium")
tap = Tap()

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--force-color-profile=srgb", "--remote-debugging-port=0"]
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1200, "height": 800, "deviceScaleFactor": 1, "mobile": False}


class Browser:
    """A Chromium with a profile of its own: `async with Browser() as browser`."""

    async def __aenter__(self):
        self.profile = tempfile.mkdtemp(prefix="sansock-chromium-")
        self.process = subprocess.Popen([chromium, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
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
    def __init__(self, browser):
        self.browser = browser

    async def open(self, url, screen):
        target = await self.browser.call("Target.createTarget", url="about:blank")
        attached = await self.browser.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setDeviceMetricsOverride", **screen)
        await self.call("Page.navigate", url=url)
        await self.until("typeof connection === 'object' && document.readyState === 'complete'")
        return self

    async def call(self, method, **parameters):
        return await self.browser.call(method, self.session, **parameters)

    async def value(self, expression):
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        check("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    async def until(self, expression, seconds=60):
        for _ in range(seconds * 20):
            if await self.value(f"Boolean({expression})"):
                return
            await asyncio.sleep(0.05)
        check(False, f"not true after {seconds} s: {expression}; the page: {await self.value('document.body.innerText')}")

    async def write(self, field, text):
        await self.value(f"document.getElementById('{field}').focus(), document.getElementById('{field}').select()")
        await self.call("Input.insertText", text=text)

    async def press_enter(self):
        for kind in ("rawKeyDown", "char", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13,
                            text="\r" if kind == "char" else "")

    async def join(self, name, room):
        await self.until("connection.open")
        await self.write("join-name", name)
        await self.write("join-room", room)
        await self.press_enter()
        await self.until("!document.getElementById('room').hidden")

    async def say(self, text):
        await self.write("say-text", text)
        await self.press_enter()
        await self.until("document.getElementById('say-text').value === ''")

    async def shoot(self, name, dark=False):
        if screenshots is None:
            return
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=scheme)
        picture = await self.call("Page.captureScreenshot", format="png")
        (screenshots / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))


LAST_LINE = "[...document.querySelectorAll('.line-text')].at(-1)?.textContent"


@tap.case("two browsers and a program talk; text stays text; the page comes back after the server does")
async def _():
    port = free_port()
    server = Program(chat, "--port", port)
    url = f"http://127.0.0.1:{port}/"
    async with Browser() as browser:
        desktop = await Tab(browser).open(url, DESKTOP)
        await desktop.shoot("welcome")
        await desktop.join("Ada Lovelace", "lobby")
        phone = await Tab(browser).open(url + "#lobby", PHONE)
        await phone.shoot("welcome-phone", dark=True)
        check_equal(await phone.value("document.getElementById('join-room').value"), "lobby", "the room of the link")
        await phone.join("Grace", "lobby")
        await desktop.until("document.body.innerText.includes('Grace joined')")

        await desktop.say("Good morning. The analytical engine weaves algebraic patterns.")
        await phone.until(f"{LAST_LINE}?.startsWith('Good morning')")
        hostile = "<img src=x onerror=\"document.title='owned'\"> & <b>é€😀</b>"
        async with websockets.connect(f"ws://127.0.0.1:{port}/chat") as ws:
            await ws.send(json.dumps({"type": "join", "room": "lobby", "name": "<i>Bob</i>"}))
            await ws.recv()
            await ws.send(json.dumps({"type": "say", "text": hostile}))
            for tab in (desktop, phone):
                await tab.until(f"{LAST_LINE} === {json.dumps(hostile)}")
                check_equal(await tab.value("document.querySelectorAll('.line img, .line b, #members i').length"), 0,
                            "elements made from text")
            await phone.say("That one is harmless here.")
            await desktop.until(f"{LAST_LINE} === 'That one is harmless here.'")
            for tab in (desktop, phone):
                await tab.until("/^[0-9.]+ ms$/.test(document.getElementById('round-trip').textContent)")
                check_equal(await tab.value("document.querySelectorAll('#members li').length"), 3, "the members")
            await desktop.say("Then let us go on: a loop, and a loop of loops.\nIt ends when both of us have said Close.")
            await phone.until(f"{LAST_LINE}?.startsWith('Then')")
            await desktop.shoot("room")
            await desktop.shoot("room-dark", dark=True)
            await phone.shoot("room-phone")
        await desktop.until("document.querySelectorAll('#members li').length === 2")

        check_equal(server.stop(), 0, "the exit code")
        await desktop.until("document.getElementById('status').dataset.state === 'waiting'")
        check(not await desktop.value("document.getElementById('notice').hidden"), "no notice")
        check(await desktop.value("document.getElementById('say-button').disabled"), "one could send into nothing")
        await desktop.shoot("offline")
        await desktop.write("say-text", "written while offline")
        with Program(chat, "--port", port):
            await desktop.value("document.getElementById('retry').click()")
            for tab in (desktop, phone):
                await tab.until("document.body.innerText.includes('You are back')")
                await tab.until("document.querySelectorAll('#members li').length === 2")
            await desktop.press_enter()
            await phone.until(f"{LAST_LINE} === 'written while offline'")
            width = "document.documentElement.scrollWidth <= innerWidth"
            check(await phone.value(width), "the page is wider than the phone")
            await desktop.value("document.getElementById('leave').click()")
            await phone.until("document.querySelectorAll('#members li').length === 1")
        check_equal(browser.problems, [], "what the pages threw or logged")


sys.exit(tap.run())
