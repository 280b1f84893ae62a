"""The doctor: is everything in order that trading needs, and what to do where it is not.

Every check stands alone: one that fails, hangs or breaks takes no other with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from milobot.errors import MilobotError

LIMIT_S = 15.0
"""The longest a check may take."""


class Verdict(StrEnum):
    """What a check came to; FAIL stands in the way of trading, WARN may one day."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        subject: What was looked at, such as ``Binance clock``.
        fact: What was found, in a sentence.
        next_step: What to do about it; empty when nothing has to be done.
    """

    verdict: Verdict
    subject: str
    fact: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        remedy: What to do when it cannot even be looked at.
    """

    subject: str
    look: Callable[[], Awaitable[Finding]]
    remedy: str = ""


async def examine(check: Check, *, limit_s: float = LIMIT_S) -> Finding:
    """Carry out a check; whatever goes wrong becomes its finding."""
    try:
        async with asyncio.timeout(limit_s):
            return await check.look()
    except MilobotError as error:
        return Finding(Verdict.FAIL, check.subject, str(error), check.remedy)
    except TimeoutError:
        said = f"no end within {limit_s:g} s"
        return Finding(Verdict.FAIL, check.subject, said, check.remedy or "try again")
    except OSError as error:
        said = f"the system refused: {error.strerror or type(error).__name__}"
        return Finding(Verdict.FAIL, check.subject, said, check.remedy or "check its permissions")
    except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
        said = f"the check itself broke ({type(error).__name__}), a fault of milobot"
        return Finding(Verdict.FAIL, check.subject, said, "report it")


async def examine_all(checks: Sequence[Check]) -> list[Finding]:
    """Carry out checks that do not need each other, all at once; findings keep their order."""
    return list(await asyncio.gather(*(examine(check) for check in checks)))


def is_fit(findings: Sequence[Finding]) -> bool:
    """Return whether nothing failed."""
    return all(finding.verdict is not Verdict.FAIL for finding in findings)
