"""The file in which a paper exchange's account survives: one writer, whole or not at all."""

import asyncio
import fcntl
import os
import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from milobot.errors import ConfigurationError
from milobot.telemetry import get_logger

_MOST_BYTES = 1 << 26
_OWNER_ONLY = 0o600
_SOON_S = 0.02
_EVERY_S = 10.0


class StateFile:
    """Keeps the latest state on the disk, behind the back of whoever trades.

    A change is on the disk some milliseconds after it happened. Every ten seconds it is written
    without a change too: what it says about time must not grow old.
    """

    def __init__(self, path: Path, describe: Callable[[], bytes]) -> None:
        """Touch nothing yet.

        Args:
            path: The file; it need not exist.
            describe: Returns what is to be kept.
        """
        self._path = path
        self._describe = describe
        self._held = ExitStack()
        self._contents: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_soon = False

    def open(self) -> bytes | None:
        """Keep others out and return what is there; None when nothing was kept yet.

        Raises:
            ConfigurationError: Another process has it, or it cannot be read.
        """
        lock = self._path.with_name(f".{self._path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _OWNER_ONLY)
            self._held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            content = self._path.read_bytes() if self._path.exists() else None
        except BlockingIOError:
            self._held.close()
            raise ConfigurationError(
                f"another milobot trades on paper with {self._path.name}: end it first, or work in"
                " another folder"
            ) from None
        except OSError as error:
            self._held.close()
            reason = error.strerror or "refused"
            raise ConfigurationError(
                f"{self._path.name} cannot be used ({reason}): check it, its folder and the disk"
            ) from error
        if content is not None and len(content) > _MOST_BYTES:
            self._held.close()
            raise ConfigurationError(
                f"{self._path.name} is too large for a paper account: move it away"
            )
        return content

    def start(self) -> None:
        """Begin to write what changes."""
        self._writer = threading.Thread(target=self._write_all, name="paper-state", daemon=True)
        self._writer.start()
        self._timer = asyncio.get_running_loop().call_later(_EVERY_S, self._take)

    def change(self) -> None:
        """Hear that something has changed: it is taken down soon, with what follows at once."""
        if self._timer is not None and not self._is_soon:
            self._is_soon = True
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(_SOON_S, self._take)

    def close(self) -> None:
        """Write for the last time and let others in; without ``start`` nothing is written."""
        if self._timer is not None and self._writer is not None:
            self._timer.cancel()
            self._timer = None
            self._contents.put(self._describe())
            self._contents.put(None)
            self._writer.join()
        self.release()

    def release(self) -> None:
        """Let others in."""
        self._held.close()

    def _take(self) -> None:
        self._is_soon = False
        self._contents.put(self._describe())
        self._timer = asyncio.get_running_loop().call_later(_EVERY_S, self._take)

    def _write_all(self) -> None:
        is_over = False
        while not is_over:
            waiting = [self._contents.get()]
            while not self._contents.empty():
                waiting.append(self._contents.get())
            is_over = waiting[-1] is None
            newest = next((content for content in reversed(waiting) if content is not None), None)
            if newest is None:
                continue
            try:
                self._replace(newest)
            except OSError as error:
                get_logger().error("paper_not_kept", file=self._path.name, reason=str(error))

    def _replace(self, content: bytes) -> None:
        draft = self._path.with_name(f".{self._path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(draft, flags, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(self._path)
