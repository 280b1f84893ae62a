"""What may be set for a client of either exchange."""

from dataclasses import dataclass, field

from milobot.exchanges.deadlines import Deadline, no_deadline
from milobot.exchanges.gateway import Timeouts
from milobot.exchanges.limits import DownloadPace
from milobot.exchanges.sockets import Connector
from milobot.exchanges.streams import StreamPlan
from milobot.exchanges.times import Sleep, real_sleep
from milobot.exchanges.transport import Transport
from milobot.ports import Clock


@dataclass(frozen=True, slots=True)
class Network:
    """How an exchange is reached: requests, and sockets."""

    transport: Transport
    connector: Connector


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What may be set for a client; the defaults are those of a live bot.

    Attributes:
        clock: Our own time, which must not jump; None for the machine's.
        pace: How downloads are spread.
        plan: How streams are looked after.
        timeouts: How long answers are waited for.
        signing_deadline: Tells until when this process may trade, on the exchange's clock:
            no order, cancel or change of settings is signed later. None for no end.
        network: How the exchange is reached; None for HTTP and WebSockets of our own.
    """

    clock: Clock | None = None
    sleep: Sleep = real_sleep
    pace: DownloadPace = field(default_factory=DownloadPace)
    plan: StreamPlan = field(default_factory=StreamPlan)
    timeouts: Timeouts = field(default_factory=Timeouts)
    signing_deadline: Deadline = no_deadline
    network: Network | None = None
