"""A small file that only its owner may read, replaced as a whole or not at all."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from milobot.errors import KeystoreError

_MOST_BYTES = 1024 * 1024
_OTHERS = 0o077
_OWNER_ONLY = 0o600


class PrivateFile:
    """One such file; it need not exist yet.

    Attributes:
        path: Where it is; a link is followed, so that the link stays.
    """

    def __init__(self, path: Path) -> None:
        """Touch nothing."""
        self.path = path
        self._seen: bytes | None = None

    @property
    def is_there(self) -> bool:
        """Return whether there is such a file."""
        return self.path.exists()

    def read(self) -> bytes:
        """Return what is in it.

        Raises:
            KeystoreError: Missing, readable by others, too large, or no plain file.
        """
        try:
            # A pipe in its place must not make us wait.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self._refused(error) from None
        with os.fdopen(descriptor, "rb") as file:
            self._check(os.fstat(descriptor))
            try:
                content = file.read(_MOST_BYTES + 1)
            except OSError as error:
                raise self._refused(error) from None
        if len(content) > _MOST_BYTES:
            raise KeystoreError(f"{self.path.name} is too large to be a file of keys")
        self._seen = content
        return content

    def replace(self, content: bytes, *, wipes_old: bool = False) -> None:
        """Write the file anew: after a crash there is the old content or the new one, whole.

        Args:
            content: What it shall hold.
            wipes_old: Overwrite the old content on the disk, as far as the disk allows.

        Raises:
            KeystoreError: It was not written; the old one is still there.
        """
        target = self.path.resolve()
        try:
            with _locked(target.parent):
                self._check_unchanged(target)
                old = _open_old(target) if wipes_old else None
                _write(target, content)
                if old is not None:
                    _wipe(old)
        except BlockingIOError:
            raise KeystoreError(
                f"{self.path.name} is being changed by another program: try again"
            ) from None
        except OSError as error:
            raise self._refused(error) from None
        self._seen = content

    def _check_unchanged(self, target: Path) -> None:
        """Refuse to overwrite what somebody else has written since it was read."""
        there = target.read_bytes() if target.exists() else None
        if there != self._seen:
            raise KeystoreError(
                f"{self.path.name} was changed by another program meanwhile: try again"
            )

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise KeystoreError(f"{self.path.name} is no plain file: name another one")
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS:
            raise KeystoreError(
                f"{self.path.name} can be read or changed by others (mode {mode:04o}): run"
                f" `chmod 600 {self.path}`, and replace the keys if others use this machine"
            )

    def _refused(self, error: OSError) -> KeystoreError:
        reason = error.strerror or "refused"
        if isinstance(error, FileNotFoundError) and self.path.parent.is_dir():
            return KeystoreError(
                f"{self.path.name} does not exist: make it with `milobot keys set`"
            )
        return KeystoreError(
            f"{self.path.name} cannot be used ({reason}): check it, its folder and the disk"
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other writers out; the lock lies on the folder, since the file is replaced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(target: Path, content: bytes) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    draft.unlink(missing_ok=True)  # of a crash; the lock says that nobody writes it now
    descriptor = os.open(draft, flags, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _open_old(target: Path) -> int | None:
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None  # what cannot be overwritten is replaced all the same
    if os.fstat(descriptor).st_nlink > 1:
        os.close(descriptor)
        return None  # it is somebody's copy, too
    return descriptor


def _wipe(descriptor: int) -> None:
    """Overwrite a file that has no name any more; journals and flash may keep copies."""
    try:
        os.write(descriptor, bytes(os.fstat(descriptor).st_size))
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
