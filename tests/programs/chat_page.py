#!/usr/bin/python3
"""chat_page.py CHAT [--tls MAKE_CERTIFICATES] [--screenshots DIRECTORY] : the chat's page in a headless
Chromium, driven over the DevTools protocol. Skips, visibly, where there is no Chromium."""
import argparse
import base64
import json
import pathlib
import sys

import support  # noqa: F401  (finds harness)
from browser import Browser, Tab, websockets
from harness import Program, Tap, check, check_equal, free_port
from tls import make_certificates_or_skip

parser = argparse.ArgumentParser()
parser.add_argument("chat")
parser.add_argument("--tls", metavar="MAKE_CERTIFICATES")
parser.add_argument("--screenshots", type=pathlib.Path)
arguments = parser.parse_args()
screenshots = arguments.screenshots
certificates = make_certificates_or_skip(arguments.tls) if arguments.tls else None
tls = {"ssl": certificates.client_context()} if certificates else {}
tap = Tap()

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1200, "height": 800, "deviceScaleFactor": 1, "mobile": False}


class ChatTab(Tab):
    async def open(self, url, screen):
        await self.attach()
        await self.call("Emulation.setDeviceMetricsOverride", **screen)
        await self.call("Page.navigate", url=url)
        await self.until("typeof connection === 'object' && document.readyState === 'complete'")
        return self

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


def start(port):
    return Program(arguments.chat, "--port", port, *(certificates.arguments("server") if certificates else []))


@tap.case("two browsers and a program talk; text stays text; the page comes back after the server does")
async def _():
    port = free_port()
    server = start(port)
    scheme = "https" if certificates else "http"
    url = f"{scheme}://127.0.0.1:{port}/"
    lines = [server.process.stdout.readline() for _ in range(2)]
    check_equal(lines[1], f"chat page at {url}\n", "the line about the page")
    async with Browser(certificates and certificates.text("server.pin")) as browser:
        desktop = await ChatTab(browser).open(url, DESKTOP)
        await desktop.shoot("welcome")
        await desktop.join("Ada Lovelace", "lobby")
        phone = await ChatTab(browser).open(url + "#lobby", PHONE)
        await phone.shoot("welcome-phone", dark=True)
        check_equal(await phone.value("document.getElementById('join-room').value"), "lobby", "the room of the link")
        await phone.join("Grace", "lobby")
        await desktop.until("document.body.innerText.includes('Grace joined')")

        await desktop.say("Good morning. The analytical engine weaves algebraic patterns.")
        await phone.until(f"{LAST_LINE}?.startsWith('Good morning')")
        hostile = "<img src=x onerror=\"document.title='owned'\"> & <b>é€😀</b>"
        async with websockets.connect(server.url + "chat", **tls) as ws:
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
        with start(port):
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
