"""What the listener counts, and what it shows of itself."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Counters since the start.

    Attributes:
        handled: Messages and versions handed in and given a receipt.
        deleted: Deletions handed in.
        ignored: Messages of chats that are not on the list.
        gaps_closed: How often messages had been missed and were fetched.
        fetched: How many messages that were.
        reconnects: Connections after the first.
        flood_waits: How often Telegram wanted to be left alone.
        failures: How often handing in had to be repeated because the ledger was away.
    """

    handled: int = 0
    deleted: int = 0
    ignored: int = 0
    gaps_closed: int = 0
    fetched: int = 0
    reconnects: int = 0
    flood_waits: int = 0
    failures: int = 0


@dataclass(slots=True)
class ListenerState:
    """Where the listener stands.

    Attributes:
        account: What it is logged in as; empty before.
        trouble: Why it hears nothing, as a sentence; empty when it does.
        chats: Title of each chat, once known.
        troubles: Why a chat cannot be read, as a sentence, by its id.
    """

    is_connected: bool = False
    account: str = ""
    trouble: str = ""
    chats: dict[int, str] = field(default_factory=dict)
    troubles: dict[int, str] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True)
class Terms:
    """How patient the listener is; all in seconds.

    Attributes:
        beat_s: Between two looks whether the connection works and anything was missed.
        answer_s: How long an answer may take before the connection counts as lost.
        probe_s: Between two looks into a chat for messages that nobody told us of.
        patience_s: How long a gap may hold up what came after it.
        first_pause_s: Before connecting again after the first failure; doubled each time.
        longest_pause_s: The most it is doubled to.
        login_pause_s: Before trying again with an account that is not logged in.
        long_wait_s: From when on a person is told of a flood wait.
    """

    beat_s: float = 4.0
    answer_s: float = 10.0
    probe_s: float = 15.0
    patience_s: float = 5.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    login_pause_s: float = 60.0
    long_wait_s: float = 60.0
