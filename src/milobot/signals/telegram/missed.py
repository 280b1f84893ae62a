"""Which messages a chat has that we have not seen."""

from milobot.signals.telegram.ports import ChatInfo, Post, Wire

WINDOW = 100
"""How many ids Telegram looks up at a time."""
MOST = 1_000
"""How many messages are read back at most: what is older is too old to act on anyway."""


async def missed(wire: Wire, chat: ChatInfo, after: int, before: int | None = None) -> list[Post]:
    """Return the messages after an id (and before one), oldest first.

    People read the history. Bots may not; they ask for the next 100 ids until none of them
    is there, or up to ``before``.

    Raises:
        TelegramError: It cannot be known.
    """
    if before is not None and before - after <= WINDOW:
        return await _window(wire, chat, range(after + 1, before))
    if not wire.is_bot:
        posts = await wire.history(chat, after=after, limit=MOST)
        return [post for post in posts if before is None or post.message_id < before]
    found: list[Post] = []
    begin = after + 1 if before is None else max(after + 1, before - MOST)
    while before is None or begin < before:
        end = begin + WINDOW if before is None else min(begin + WINDOW, before)
        posts = await _window(wire, chat, range(begin, end))
        found += posts
        if not posts and before is None:
            break
        begin = end
    return found


async def newest(wire: Wire, chat: ChatInfo) -> int | None:
    """Return the id of the newest message; None when that cannot be asked.

    Raises:
        TelegramError: It cannot be known now.
    """
    if wire.is_bot:
        return None
    posts = await wire.history(chat, after=0, limit=1)
    return posts[-1].message_id if posts else 0


async def _window(wire: Wire, chat: ChatInfo, ids: range) -> list[Post]:
    if not ids:
        return []
    found = await wire.by_ids(chat, ids)
    return [post for _, post in sorted(found.items()) if post is not None]
