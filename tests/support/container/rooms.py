"""Rooms to build an image in without an engine: this machine's files under a layer that is thrown away.

A room is an overlay over this machine's root, entered with ``chroot``. Whatever a build does in it
stays in its layer; a room above it sees the layer. Only in a mount namespace of one's own, as root.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

NOBODY_IN_PARTICULAR = 10001
_KEPT = ("PIP_", "NPM_", "NODE_", "SSL_", "REQUESTS_", "HTTP", "NO_PROXY")


class Room:
    """A root file system made of layers."""

    def __init__(self, folder: Path, layers: Sequence[Path], *, is_writable: bool) -> None:
        """Mount the layers, the nearest first, over this machine's root.

        Args:
            folder: Of this room, empty.
            layers: What other rooms have written.
            is_writable: Whether this room has a layer of its own; without it everything is
                read-only.
        """
        self.layer, self.root = folder / "layer", folder / "root"
        work = folder / "work"
        for made in (self.layer, self.root, work):
            made.mkdir(parents=True)
        lower = ":".join(map(str, [*layers, Path("/")]))
        options = f"lowerdir={lower}"
        if is_writable:
            options += f",upperdir={self.layer},workdir={work}"
        mount("-t", "overlay", "overlay", "-o", options, self.root)
        mount("-t", "proc", "proc", self.root / "proc")
        mount("--rbind", "/dev", self.root / "dev")
        self.empty("tmp", mode="1777")

    def empty(self, place: str, *, mode: str, owner: int = 0) -> None:
        """Put an empty folder in memory over a place."""
        options = f"mode={mode},uid={owner},gid={owner}"
        mount("-t", "tmpfs", "none", "-o", options, self.root / place)

    def run(
        self, command: Sequence[str], *, cwd: str, env: Mapping[str, str], user: str = "0:0"
    ) -> None:
        """Run a command in the room and wait for it.

        Raises:
            CalledProcessError: It failed.
        """
        subprocess.run(self.words(command, cwd, user), env=dict(env), check=True)  # noqa: S603 - the Dockerfile's own words

    def start(
        self, command: Sequence[str], *, cwd: str, env: Mapping[str, str], user: str
    ) -> subprocess.Popen[bytes]:
        """Start a command in the room."""
        return subprocess.Popen(self.words(command, cwd, user), env=dict(env))  # noqa: S603 - as above

    def words(self, command: Sequence[str], cwd: str, user: str) -> list[str]:
        """Return the command line that runs a command in the room, without any new privilege."""
        inside = f"cd {shlex.quote(cwd)} && exec {shlex.join(command)}"
        drop = ["setpriv", "--no-new-privs"] if user != "0:0" else []
        entered = ["chroot", f"--userspec={user}", "--groups=", str(self.root)]
        return [*entered, *drop, "/bin/sh", "-c", inside]


def mount(*words: str | Path) -> None:
    """Mount something.

    Raises:
        CalledProcessError: It is not allowed here.
    """
    subprocess.run(["mount", *map(str, words)], check=True)  # noqa: S603, S607 - needs the machine's own


def build_environment() -> dict[str, str]:
    """Return what a build needs of this machine: where packages come from, and whom to trust."""
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(_KEPT)}
    return {**kept, "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - inside the room, empty


def copy_into(source: Path, target: Path, owner: int) -> None:
    """Copy a file or what a folder holds, as COPY does, and give it to somebody."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
        given = [target, *target.rglob("*")]
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=True)
        given = [target]
    for path in given if owner else []:
        os.chown(path, owner, owner, follow_symlinks=False)
