#!/usr/bin/python3
"""chat_conversation.py CHAT ADAPTER THREADS : what the chat's WebSocket does, with python3-websockets."""
import asyncio
import json
import sys

import support  # noqa: F401  (finds harness)
from harness import Program, Tap, check, check_equal, import_websockets, shorten, skip_without_adapter

websockets = import_websockets()

chat, adapter, threads = sys.argv[1:]
skip_without_adapter(chat, adapter)
tap = Tap()
server = Program(chat, "--port", 0, "--adapter", adapter, "--threads", threads)


class Talker:
    """One user: `async with Talker("Ada", "room") as ada`. Without a room: connected only."""

    def __init__(self, name="", room=""):
        self.name = name
        self.room = room

    async def __aenter__(self):
        self.ws = await websockets.connect(server.url + "chat", open_timeout=60, close_timeout=60)
        if self.room:
            self.joined = await self.join(self.name, self.room)
        return self

    async def __aexit__(self, *_):
        await self.ws.close()

    async def send(self, **message):
        await self.ws.send(json.dumps(message))

    async def receive(self, kind):
        message = json.loads(await asyncio.wait_for(self.ws.recv(), 60))
        check_equal(message["type"], kind, f"the type of {shorten(message)}")
        return message

    async def join(self, name, room):
        await self.send(type="join", name=name, room=room)
        return await self.receive("joined")

    async def say(self, text):
        await self.send(type="say", text=text)

    async def expect_line(self, name, text):
        line = await self.receive("line")
        check_equal((line["name"], line["text"]), (name, text), "the line")
        return line

    async def expect_error(self, code):
        error = await self.receive("error")
        check_equal(error["code"], code, f"the code of {shorten(error)}")
        check(error["message"].endswith("."), f"the message is no sentence: {error['message']}")


@tap.case("join, be seen, talk, leave, be missed")
async def _():
    async with Talker("Ada", "one") as ada:
        check_equal(ada.joined["members"], ["Ada"], "the members")
        check_equal(ada.joined["history"], [], "the history")
        async with Talker("Bob é€😀", "one") as bob:
            check_equal(bob.joined["members"], ["Ada", "Bob é€😀"], "the members")
            check_equal((await ada.receive("member_joined"))["name"], "Bob é€😀", "who joined")
            await ada.say("hello <b>é€😀</b>\nsecond line")
            for talker in (ada, bob):
                await talker.expect_line("Ada", "hello <b>é€😀</b>\nsecond line")
            await bob.say("hi")
            first, second = [await talker.expect_line("Bob é€😀", "hi") for talker in (ada, bob)]
            check_equal(first, second, "the line of both")
            await bob.send(type="leave")
            await bob.receive("left")
            check_equal((await ada.receive("member_left"))["name"], "Bob é€😀", "who left")
            await bob.say("nobody hears this")
            await bob.expect_error("not_in_room")
            await bob.join("Bob", "one")
            await ada.receive("member_joined")
        check_equal((await ada.receive("member_left"))["name"], "Bob", "who left by closing")


@tap.case("rooms do not hear one another; joining another room leaves the old one")
async def _():
    async with Talker("Ada", "two") as ada, Talker("Bob", "three") as bob:
        await ada.say("in two")
        await ada.expect_line("Ada", "in two")
        await ada.join("Ada", "three")
        await bob.receive("member_joined")
        await ada.say("in three")
        for talker in (ada, bob):
            await talker.expect_line("Ada", "in three")
        await bob.join("Robert", "three")
        check_equal((await ada.receive("member_left"))["name"], "Bob", "the old name")
        check_equal((await ada.receive("member_joined"))["name"], "Robert", "the new name")


@tap.case("the last 20 lines are the history, also after everybody has left")
async def _():
    async with Talker("Ada", "history") as ada:
        for number in range(25):
            await ada.say(f"line {number}")
            await ada.expect_line("Ada", f"line {number}")
            await asyncio.sleep(0.2 if number > 12 else 0)  # within the rate limit
    async with Talker("Bob", "history") as bob:
        texts = [line["text"] for line in bob.joined["history"]]
        check_equal(texts, [f"line {number}" for number in range(5, 25)], "the history")
        serials = [line["serial"] for line in bob.joined["history"]]
        check_equal(serials, sorted(set(serials)), "the serials")


@tap.case("a name is taken once in a room, and free again when its owner is gone")
async def _():
    async with Talker("Ada", "names"), Talker() as second:
        await second.send(type="join", name="Ada", room="names")
        await second.expect_error("name_taken")
        await second.join("Ada", "other-names")
        await second.send(type="join", name="Ada", room="other-names")
        await second.expect_error("already_joined")
    async with Talker() as heir:
        # The server may hear of the end of the first one's connection after this one has begun.
        for _ in range(300):
            await heir.send(type="join", name="Ada", room="names")
            answer = json.loads(await asyncio.wait_for(heir.ws.recv(), 60))
            if answer["type"] == "joined":
                break
            check_equal(answer["code"], "name_taken", "the error")
            await asyncio.sleep(0.2)
        check_equal(answer["type"], "joined", "the last answer")


@tap.case("bad names, rooms, texts and messages get an error and change nothing")
async def _():
    async with Talker() as talker:
        for name in ("", "x" * 33, " a", "a ", "a\nb", "a\x7fb"):
            await talker.send(type="join", name=name, room="errors")
            await talker.expect_error("name_invalid")
            await asyncio.sleep(0.2)
    async with Talker() as talker:
        for room in ("", "x" * 33, "A", "a b", "é", "a/b", 5, None):
            await talker.send(type="join", name="Ada", room=room)
            await talker.expect_error("room_invalid")
    async with Talker("é" * 32, "errors") as talker:
        for text in ("", "  \n ", "x" * 1001, "a\x00b", "a\x1bb", 5, None):
            await talker.send(type="say", text=text)
            await talker.expect_error("text_invalid")
        await talker.say("😀" * 1000)
        await talker.expect_line("é" * 32, "😀" * 1000)
    # A room of its own: that the other one has left may be told late.
    async with Talker("Ada", "mistakes") as talker:
        for message in ("", "{", "[]", '"join"', "[" * 4000, '{"type":"say","text":"\\ud800"}'):
            await talker.ws.send(message)
            await talker.expect_error("not_json")
        for message in ({}, {"type": 5}, {"type": "shout"}):
            await talker.ws.send(json.dumps(message))
            await talker.expect_error("type_unknown")
        await talker.say("still here")
        await talker.expect_line("Ada", "still here")


@tap.case("a ping message is answered with its id")
async def _():
    async with Talker() as talker:
        for number in (0, 7, 1.5, -3):
            await talker.send(type="ping", id=number)
            check_equal((await talker.receive("pong"))["id"], number, "the id")
        await talker.send(type="ping", id={"a": [1]})
        check_equal((await talker.receive("pong"))["id"], None, "the id")


@tap.case("who sends too fast is told so, then closed with 1008; others live on")
async def _():
    async with Talker("Ada", "fast") as ada, Talker("Bob", "fast") as bob:
        await ada.receive("member_joined")
        for _ in range(200):
            await bob.send(type="say", text="x")
        kinds = []
        try:
            while True:
                kinds.append(json.loads(await asyncio.wait_for(bob.ws.recv(), 60)))
        except websockets.ConnectionClosed:
            check_equal(bob.ws.close_code, 1008, "the close code")
        errors = [message for message in kinds if message["type"] == "error"]
        check_equal({message["code"] for message in errors}, {"too_fast"}, "the errors")
        lines = 0
        while (message := json.loads(await asyncio.wait_for(ada.ws.recv(), 60)))["type"] == "line":
            lines += 1
        check_equal(message, {"type": "member_left", "name": "Bob"}, "the last message")
        check(0 < lines < 100, f"{lines} lines passed")


@tap.case("binary closes with 1003, a message over 16 KiB with 1009")
async def _():
    for message, code in [(b"{}", 1003), ("x" * 16385, 1009)]:
        async with Talker() as talker:
            await talker.ws.send(message)
            await talker.ws.wait_closed()
            check_equal(talker.ws.close_code, code, "the close code")


@tap.case("30 talkers in one room: everybody sees every line once, in the same order")
async def _():
    count = 30

    async def talk(number, ready, seen):
        async with Talker(f"talker {number}", "crowd") as talker:
            ready.append(number)
            while len(ready) < count:
                await asyncio.sleep(0.01)
            for i in range(5):
                await talker.say(f"{number}/{i}")
            lines = [line["serial"] for line in talker.joined["history"]]
            check_equal(lines, [], "the history")
            while len(seen[number]) < count * 5:
                message = json.loads(await asyncio.wait_for(talker.ws.recv(), 60))
                if message["type"] == "line":
                    seen[number].append((message["serial"], message["text"]))
            # Nobody leaves before all have seen all.
            while any(len(lines) < count * 5 for lines in seen):
                await asyncio.sleep(0.01)
    ready, seen = [], [[] for _ in range(count)]
    await asyncio.gather(*(talk(number, ready, seen) for number in range(count)))
    check_equal(len({text for _, text in seen[0]}), count * 5, "different lines")
    check_equal(seen[0], sorted(seen[0]), "the order of serials")
    for lines in seen[1:]:
        check(lines == seen[0], "two talkers have seen different things")


@tap.case("after all that the server still runs and stops with 0")
def _():
    check(server.alive(), f"it ended: {server.stderr}")
    check_equal(server.stop(), 0, "the exit code")
    check_equal("".join(server.stderr), "", "stderr")


sys.exit(tap.run())
