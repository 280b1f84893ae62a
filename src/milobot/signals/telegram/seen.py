"""What a chat's line has handed in since it started."""

from milobot.signals.telegram.ports import Post

_MOST = 1_000
_SECOND_MS = 1_000


class Seen:
    """Remembers the last messages by id: their versions, and which of them are gone."""

    def __init__(self) -> None:
        """Know nothing."""
        self._versions: dict[int, tuple[int, str]] = {}
        self._gone: set[int] = set()

    def version(self, post: Post) -> tuple[int] | None:
        """Return the version under which to hand a message in; None when it was already.

        Telegram dates edits by the second: a second edit within it gets the next number.
        """
        known = self._versions.get(post.message_id)
        if known is None or post.edited_ms > known[0]:
            return (post.edited_ms,)
        is_same_second = post.edited_ms > 0 and known[0] - known[0] % _SECOND_MS == post.edited_ms
        return (known[0] + 1,) if is_same_second and post.text != known[1] else None

    def text(self, message_id: int) -> str | None:
        """Return the text that was handed in last; None when none was."""
        known = self._versions.get(message_id)
        return None if known is None else known[1]

    def add(self, post: Post, version: int) -> None:
        """Remember a version."""
        self._versions[post.message_id] = (version, post.text)
        if len(self._versions) > _MOST:
            for message_id in sorted(self._versions)[: _MOST // 2]:
                del self._versions[message_id]

    def is_gone(self, message_id: int) -> bool:
        """Return whether its deletion was handed in."""
        return message_id in self._gone

    def gone(self, message_id: int) -> None:
        """Remember a deletion."""
        self._gone.add(message_id)
        if len(self._gone) > _MOST:
            self._gone.discard(min(self._gone))
