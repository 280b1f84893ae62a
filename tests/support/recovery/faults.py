"""What befalls a bot: five kinds of faults, each in its variants, all of it decided by a seed."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.support.own_postgres import OwnServer
from tests.support.recovery.line import Line
from tests.support.recovery.supervised import Supervised

KILL, FREEZE, DATABASE = "kill", "freeze", "database restart"
OUTAGE, STREAMS = "exchange outage", "stream loss"
KINDS = (KILL, FREEZE, DATABASE, OUTAGE, STREAMS)
# Seconds a fault lasts. A lease lasts four: freezes end on both sides of that.
_VARIANTS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    KILL: {"SIGKILL": (0, 0)},
    FREEZE: {"SIGSTOP": (1, 8)},
    DATABASE: {"stopped": (0, 4)},
    OUTAGE: {"refuses": (2, 8), "silent": (2, 8)},
    STREAMS: {"cut": (0, 0), "refused": (2, 6), "silent": (3, 8)},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and how long it lasts."""

    kind: str
    variant: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What faults strike.

    Attributes:
        server: The database server; None where the ledger is a file.
    """

    bot: Supervised
    line: Line
    server: OwnServer | None


def faults_of(seed: int, kinds: tuple[str, ...]) -> list[Fault]:
    """Return one fault of each of the kinds, in an order and with lengths of the seed."""
    dice = random.Random(f"recovery {seed}")  # noqa: S311 - repeatable on purpose
    faults = []
    for kind in kinds:
        variant = dice.choice(sorted(_VARIANTS[kind]))
        shortest, longest = _VARIANTS[kind][variant]
        faults.append(Fault(kind, variant, round(dice.uniform(shortest, longest), 2)))
    dice.shuffle(faults)
    return faults


async def strike(fault: Fault, scene: Scene) -> None:
    """Let a fault happen; return at its end."""
    await _STRIKES[fault.kind](fault, scene)


async def _kill(_fault: Fault, scene: Scene) -> None:
    scene.bot.kill()


async def _freeze(fault: Fault, scene: Scene) -> None:
    scene.bot.freeze()
    await asyncio.sleep(fault.seconds)
    scene.bot.thaw()


async def _restart_database(fault: Fault, scene: Scene) -> None:
    if scene.server is None:
        raise ValueError("there is no database server to restart")
    await asyncio.to_thread(scene.server.stop)
    await asyncio.sleep(fault.seconds)
    await asyncio.to_thread(scene.server.start)


async def _fail_exchange(fault: Fault, scene: Scene) -> None:
    if fault.variant == "refuses":
        scene.line.refuse()
    else:
        scene.line.silence()
    await asyncio.sleep(fault.seconds)
    await scene.line.mend()


async def _lose_streams(fault: Fault, scene: Scene) -> None:
    if fault.variant == "silent":
        scene.line.silence_streams()
    elif not scene.line.cut_streams(refuses=fault.variant == "refused"):
        raise RuntimeError("there was no stream to cut")
    await asyncio.sleep(fault.seconds)
    await scene.line.mend()


_STRIKES: Mapping[str, Callable[[Fault, Scene], Awaitable[None]]] = {
    KILL: _kill,
    FREEZE: _freeze,
    DATABASE: _restart_database,
    OUTAGE: _fail_exchange,
    STREAMS: _lose_streams,
}
