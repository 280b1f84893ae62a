"""How well a worker is locked in, and which scripts may run in it.

Used on both sides: the worker names the steps that failed, the parent derives
the level from them by itself and believes nothing that is not well-formed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from milobot.errors import ConfigurationError, DataError


class Step(StrEnum):
    """A step of the lock, in the order in which they are taken."""

    THREADS = "threads"
    DESCRIPTORS = "descriptors"
    LIMITS = "limits"
    PRIVILEGES = "privileges"
    NO_NEW_PRIVILEGES = "no_new_privileges"
    NOT_DUMPABLE = "not_dumpable"
    DEATH_SIGNAL = "death_signal"
    LANDLOCK = "landlock"
    NO_NEW_DESCRIPTORS = "no_new_descriptors"
    SECCOMP = "seccomp"
    SELF_TEST = "self_test"
    ALARM = "alarm"


KERNEL_LOCKS = frozenset({Step.LANDLOCK, Step.SECCOMP, Step.ALARM})
"""Steps that older kernels and some containers lack; one of the first two must hold."""

_REASON = re.compile(r"[\w ,.()-]{1,200}", re.ASCII)


class Level(StrEnum):
    """How well a worker is locked in.

    FULL: every step holds. PARTIAL: either landlock or the system call filter
    is missing, all else holds. NONE: anything less.
    """

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LockReport:
    """What a worker says about its lock.

    Attributes:
        failures: The steps that do not hold, each with its reason.
    """

    failures: Mapping[Step, str]

    @property
    def level(self) -> Level:
        """Return the level that the steps amount to."""
        missing = set(self.failures)
        if not missing:
            return Level.FULL
        if missing - KERNEL_LOCKS or {Step.LANDLOCK, Step.SECCOMP} <= missing:
            return Level.NONE
        return Level.PARTIAL

    def to_header(self) -> dict[str, object]:
        """Return the report as the worker's first message."""
        failed = {step.value: reason for step, reason in self.failures.items()}
        return {"ready": True, "level": self.level.value, "failed": failed}

    def describe(self) -> str:
        """Return the level in words, with what is missing for more."""
        if not self.failures:
            return self.level.value
        missing = ", ".join(f"{step}: {reason}" for step, reason in self.failures.items())
        return f"{self.level} ({missing})"


def read_report(header: Mapping[str, object]) -> LockReport:
    """Return the report in a worker's first message.

    Raises:
        DataError: It is not exactly what a worker says, or contradicts itself.
    """
    failed = header.get("failed")
    if set(header) != {"ready", "level", "failed"} or not isinstance(failed, dict):
        raise DataError("the worker's first message is no report about its lock")
    steps = {step.value: step for step in Step}
    for name, reason in failed.items():
        if name not in steps or type(reason) is not str or not _REASON.fullmatch(reason):
            raise DataError("the worker's report about its lock is not understood")
    report = LockReport({steps[name]: reason for name, reason in failed.items()})
    if header["ready"] is not True or header["level"] != report.level.value:
        raise DataError("the worker's report about its lock contradicts itself")
    return report


class Purpose(Enum):
    """What a script's decisions are used for."""

    LIVE = "live"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known about a script before it runs; by default the least.

    Attributes:
        is_bundled: It came with milobot.
        is_trusted: The user said ``--trust-script``.
    """

    purpose: Purpose = Purpose.LIVE
    is_bundled: bool = False
    is_trusted: bool = False


LEAST_TRUST = Trust()


def may_run(level: Level, trust: Trust) -> bool:
    """Return whether a script may run in a worker locked to this level.

    With money at stake nothing but a full lock will do. Elsewhere a weaker one
    is enough for scripts that came with milobot or that the user answers for.
    """
    if level is Level.FULL:
        return True
    return trust.purpose is not Purpose.LIVE and (trust.is_bundled or trust.is_trusted)


def demand(report: LockReport, trust: Trust) -> None:
    """Refuse to run a script in a worker that is not locked well enough for it.

    Raises:
        ConfigurationError: Says what is missing and what to do.
    """
    if may_run(report.level, trust):
        return
    if trust.purpose is Purpose.LIVE:
        raise ConfigurationError(
            f"script isolation is {report.describe()}, and live trading needs level full: run "
            "milobot on Linux 5.13 or newer, in containers with seccomp and landlock allowed"
        )
    raise ConfigurationError(
        f"script isolation is {report.describe()}, too little for a script of unknown origin: "
        "read the script and run it with --trust-script, or use Linux 5.13 or newer"
    )
