"""Faults of the opening handshake."""

import handshake
from faults.registry import fault
from peer import Peer


@fault("1", {"1.1.1": "FAILED FAILED", "9.7.1": "FAILED FAILED"}, roles=("server",))
class AnswersWithAWrongAccept(Peer):
    """Sec-WebSocket-Accept belongs to another key."""

    def answer_fields(self, key, agreed):
        return super().answer_fields(handshake.new_key(), agreed)


@fault("1", {"1.1.1": "FAILED FAILED"}, roles=("server",))
class AnswersWithoutUpgrade(Peer):
    """The answer has no Upgrade."""

    def answer_fields(self, key, agreed):
        return [field for field in super().answer_fields(key, agreed) if field[0] != "Upgrade"]


@fault("1", {"1.1.1": "FAILED FAILED"}, roles=("server",))
class AnswersWith200(Peer):
    """The status is 200 instead of 101."""

    def answer_head(self, key, agreed):
        return super().answer_head(key, agreed).replace(b"101 Switching Protocols", b"200 OK")


@fault("1", {"1.1.1": "FAILED FAILED", "1.2.2": "FAILED FAILED"}, roles=("server",))
class DropsTcpInTheHandshake(Peer):
    """TCP ends in the middle of the answer."""

    def answer_head(self, key, agreed):
        self.over = True
        return super().answer_head(key, agreed)[:40]


# In 2.7 it depends on the moment whether the Close frame of the case was out before.
@fault("1", {"1.1.1": "FAILED FAILED", "2.7": "OK UNCLEAN|FAILED"})
class DropsTcpAfterTheHandshake(Peer):
    """TCP ends as soon as the connection is open."""

    def on_open(self):
        self.drop_tcp()
