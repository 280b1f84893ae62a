"""Reads a Dockerfile: stages with their instructions, as far as milobot's own goes."""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        word: ``RUN``, ``COPY`` and so on.
        rest: What follows, on one line.
    """

    word: str
    rest: str

    @property
    def flags(self) -> dict[str, str]:
        """Return the flags in front, without their dashes."""
        flags = {}
        for part in self.rest.split():
            if not part.startswith("--"):
                break
            name, _, value = part[2:].partition("=")
            flags[name] = value
        return flags

    @property
    def words(self) -> list[str]:
        """Return what follows the flags, in words or as the JSON list that it is."""
        bare = self.rest
        while bare.startswith("--"):
            bare = bare.partition(" ")[2].lstrip()
        return list(json.loads(bare)) if bare.startswith("[") else shlex.split(bare)


@dataclass(slots=True)
class Stage:
    """A stage: what it starts from, and what is done there."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, word: str) -> Instruction | None:
        """Return the last instruction of a kind."""
        found = [one for one in self.instructions if one.word == word]
        return found[-1] if found else None


def read_stages(path: Path) -> dict[str, Stage]:
    """Return the stages of a Dockerfile by name, in order.

    Raises:
        ValueError: A line is not understood.
    """
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    stages: dict[str, Stage] = {}
    name = ""
    for line in "\n".join(lines).replace("\\\n", "").splitlines():
        if not line.strip():
            continue
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            if not name:
                raise ValueError(f"a stage without a name: {line}")
            stages[name] = Stage(name, base)
        elif word.isupper() and stages:
            stages[name].instructions.append(Instruction(word, " ".join(rest.split())))
        else:
            raise ValueError(f"not an instruction: {line}")
    return stages


def needed(stages: dict[str, Stage], target: str) -> list[Stage]:
    """Return the stages that a target is made of, in the order in which they are built."""
    wanted = {target}
    for name in reversed(stages):
        if name not in wanted:
            continue
        stage = stages[name]
        copied = [one.flags.get("from", "") for one in stage.instructions if one.word == "COPY"]
        wanted |= {source for source in (stage.base, *copied) if source in stages}
    return [stage for name, stage in stages.items() if name in wanted]
