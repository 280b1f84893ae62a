"""A process that listens and hands in, to be killed: writes what it handled into a file."""

import asyncio
import os
import sys
from dataclasses import asdict
from pathlib import Path

import orjson
from tests.support.telegrams import QUICK

from milobot.app.telegram import connect_by
from milobot.exchanges.times import SteadyClock
from milobot.signals.door import Incoming, Receipt, SignalHistory, SignalState
from milobot.signals.telegram.account import ServerAddress, TelegramAccount
from milobot.signals.telegram.cursors import Cursors
from milobot.signals.telegram.listener import TelegramListener, World
from milobot.signals.telegram.sessions import NoSession
from milobot.storage.ledger import open_ledger


class FileDoor:
    """Puts each message and version on record once, as a line that is on the disk when it answers."""

    def __init__(self, path: Path) -> None:
        """Read what a process before this one has put on record."""
        lines = path.read_bytes().splitlines() if path.exists() else []
        self._known = {self._key(orjson.loads(line)) for line in lines}
        self._file = path.open("ab")

    async def receive(self, incoming: Incoming) -> Receipt:
        """Take a message in; what is known is not put on record again."""
        content = asdict(incoming)
        is_known = self._key(content) in self._known
        if not is_known:
            self._known.add(self._key(content))
            self._file.write(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
            self._file.flush()
            os.fsync(self._file.fileno())
        await asyncio.sleep(0.002)  # a kill likes to come between the record and the receipt
        return Receipt(1, SignalState.WAITING, is_known=is_known)

    async def delete(self, source: str, message_id: str) -> Receipt | None:
        """Know nothing of it."""
        return None

    async def history(self, signal_id: int) -> SignalHistory | None:
        """Know no histories."""
        return None

    async def latest(self, limit: int) -> tuple[SignalHistory, ...]:
        """Know no histories."""
        return ()

    @staticmethod
    def _key(content: dict[str, object]) -> tuple[object, ...]:
        return content["source"], content["message_id"], content["version"]


async def listen(url: str, place: ServerAddress, record: Path, chat: int) -> None:
    """Listen until killed."""
    account = TelegramAccount(1, "hash", "777:GOOD", NoSession(), place)
    async with await open_ledger(url) as ledger:
        clock = SteadyClock()  # no lease: that of a killed process runs on for seconds
        world = World(clock, Cursors(ledger.database, clock), lambda _: None)
        chats, people = frozenset({chat}), frozenset[int]()
        listener = TelegramListener(connect_by(account), chats, people, world, QUICK)
        await listener.run(FileDoor(record))


if __name__ == "__main__":
    words = sys.argv[1:]
    server = ServerAddress("127.0.0.1", int(words[1]), Path(words[2]).read_bytes())
    asyncio.run(listen(words[0], server, Path(words[3]), int(words[4])))
