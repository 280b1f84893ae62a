"""Carries out a Dockerfile's instructions in rooms, one for each stage."""

import shlex
import shutil
import string
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.container.dockerfile import Instruction, Stage
from tests.support.container.rooms import (
    NOBODY_IN_PARTICULAR,
    Room,
    build_environment,
    copy_into,
)

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True)
class Made:
    """What a stage came to.

    Attributes:
        room: Where it was built.
        layers: What it and those below it have written, the nearest first.
        env: Its variables.
        cwd: Its working folder.
        user: As whom it runs.
        stage: Its instructions.
    """

    room: Room
    layers: tuple[Path, ...]
    stage: Stage
    env: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    cwd: str = "/"
    user: str = "0:0"


class Build:
    """A build of several stages."""

    def __init__(self, folder: Path, context: Path, hidden: Path) -> None:
        """Build below ``folder`` from ``context``; ``hidden`` is empty inside the rooms."""
        self._folder, self._context, self._hidden = folder, context, hidden
        self.made: dict[str, Made] = {}

    def add(self, stage: Stage) -> Made:
        """Build a stage; those that it needs are there already.

        Raises:
            CalledProcessError: A command of it failed.
        """
        below = self.made.get(stage.base)
        layers = below.layers if below else ()
        room = self.enter(stage.name, layers, is_writable=True)
        made = Made(room, (room.layer, *layers), stage)
        if below:
            made.env, made.cwd, made.user = dict(below.env), below.cwd, below.user
        else:
            _furnish(stage.base, room.root)
        for instruction in stage.instructions:
            self._carry_out(made, instruction)
        self.made[stage.name] = made
        return made

    def enter(self, name: str, layers: tuple[Path, ...], *, is_writable: bool) -> Room:
        """Return a room that sees layers, and nothing of the folders where this is built."""
        room = Room(self._folder / name, layers, is_writable=is_writable)
        for place in (self._hidden, Path.home()):
            room.empty(str(place).lstrip("/"), mode="0755")
        return room

    def _carry_out(self, made: Made, instruction: Instruction) -> None:
        if instruction.word == "RUN":
            shell = ["/bin/sh", "-c", instruction.rest]
            made.room.run(shell, cwd=made.cwd, env=build_environment() | made.env, user=made.user)
        elif instruction.word == "COPY":
            self._copy(made, instruction)
        elif instruction.word == "ENV":
            for word in shlex.split(instruction.rest):
                name, _, value = word.partition("=")
                made.env[name] = string.Template(value).safe_substitute(made.env)
        elif instruction.word == "WORKDIR":
            made.cwd = instruction.rest
            (made.room.root / made.cwd.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif instruction.word == "USER":
            made.user = instruction.rest

    def _copy(self, made: Made, instruction: Instruction) -> None:
        flags, (*sources, target) = instruction.flags, instruction.words
        start = self.made[flags["from"]].room.root if "from" in flags else self._context
        owner = NOBODY_IN_PARTICULAR if flags.get("chown") == "milobot:milobot" else 0
        goal = made.room.root / (Path(made.cwd) / target).as_posix().lstrip("/")
        for name in sources:
            source = start / name.lstrip("/")
            is_into = target.endswith("/") and not source.is_dir()
            copy_into(source, goal / source.name if is_into else goal, owner)


def _furnish(image: str, root: Path) -> None:
    """Make this machine's files look like a base image, as far as the build asks for it."""
    bin_folder = root / "usr/local/bin"
    if image.startswith("python:"):
        (bin_folder / "python").unlink(missing_ok=True)
        (bin_folder / "python").symlink_to("/usr/bin/python3")
        return
    node = shutil.which("node")
    modules = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True, check=True)  # noqa: S607 - the machine's own
    if node is None:
        raise FileNotFoundError("node is not installed")
    shutil.copy2(node, bin_folder / "node")
    copy_into(
        Path(modules.stdout.strip()) / "npm", root / "usr/local/lib/node_modules/npm", owner=0
    )
