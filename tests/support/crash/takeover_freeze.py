"""Freezing a process for certain, at a moment at which somebody else can take over."""

import asyncio
import sqlite3
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from tests.support.crash.nursery import Bot

_LOOKS, _LOOK_S, _GO_ON_S = 500, 0.01, 0.03


async def freeze(bot: Bot, database: str) -> int:
    """Freeze a bot; return how often that was put off.

    It is put off while the bot holds a lock of a file, which only it can let go of: nobody can
    take over a SQLite ledger from a process that is frozen within a commit. PostgreSQL ends
    such a transaction itself.
    """
    put_off = 0
    await _stop(bot)
    while await asyncio.to_thread(is_locked, database):
        put_off += 1
        bot.send(SIGCONT)
        await asyncio.sleep(_GO_ON_S)
        await _stop(bot)
    return put_off


async def _stop(bot: Bot) -> None:
    """Stop a process and wait until its threads stand still: on a busy machine that takes time."""
    bot.send(SIGSTOP)
    for _ in range(_LOOKS):
        if _stands_still(bot.pid):
            return
        await asyncio.sleep(_LOOK_S)


def _stands_still(pid: int) -> bool:
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def is_locked(database: str) -> bool:
    """Return whether somebody keeps a SQLite file locked."""
    if not database.startswith("sqlite"):
        return False
    connection = sqlite3.connect(database.removeprefix("sqlite:///"), timeout=0.3)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False
