"""What a bot process is told, on one line of JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

# All wishes of the run, each until it is decided about; wishes without end; one a process.
INBOX, LOAD, DRILL = "inbox", "load", "drill"


@dataclass(frozen=True, slots=True)
class BotSpec:
    """Everything a bot process has to know.

    Attributes:
        life: Which process of the run it is, from 1.
        kill: Where it dies, as ``parse_point`` takes it; empty for nowhere.
        environment: Addresses and keys, as a user sets them.
        feed: What asks for trades: ``INBOX``, ``LOAD`` or ``DRILL``.
        wishes: How many are asked about each symbol.
        repeats: Share of the wishes that were decided about and are asked once more.
        since_ms: When a load began, by the exchange's clock: its wishes are numbered from there.
        daily_loss: The governor's limit; None for none that is ever reached.
        ahead_ms: How far the exchange's clock is ahead of the machine's.
        broken: The law that this bot breaks on purpose; empty for none.
    """

    seed: str
    exchange: str
    account: str
    database: str
    marks: str
    life: int
    kill: str
    environment: Mapping[str, str]
    feed: str = INBOX
    wishes: int = 6
    repeats: float = 0.0
    since_ms: int = 0
    daily_loss: str | None = None
    ahead_ms: int = 0
    broken: str = ""

    def to_json(self) -> str:
        """Return what ``parse_spec`` takes."""
        return json.dumps(asdict(self))


def parse_spec(text: str) -> BotSpec:
    """Return the spec of a JSON text."""
    return BotSpec(**json.loads(text))
