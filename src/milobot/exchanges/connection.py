"""What carries the calls and streams of one exchange: the parts that every client has alike."""

from collections.abc import Sequence

from milobot.exchanges.breaker import CircuitBreaker
from milobot.exchanges.limits import Limit, PriorityLimiter
from milobot.exchanges.options import ClientOptions, Network
from milobot.exchanges.pulses import Pulses
from milobot.exchanges.sockets import HttpConnector
from milobot.exchanges.streams import Channel, SupervisedStream
from milobot.exchanges.times import ExchangeClock, SteadyClock
from milobot.exchanges.transport import HttpTransport


class Connection:
    """Network, clock, limits and breaker of one exchange.

    Attributes:
        options: What was set for the client.
        transport: Sends requests.
        clock: The exchange's time.
        limiter: Holds requests back.
        breaker: Stops requests while the exchange is down.
        pulses: How its streams live.
    """

    def __init__(self, exchange: str, limits: tuple[Limit, ...], options: ClientOptions) -> None:
        """Put the parts together; nothing is sent.

        Args:
            exchange: Its name as users read it.
            limits: What it allows.
            options: What may be set.
        """
        local = options.clock or SteadyClock()
        self.options = options
        self._http = HttpTransport()
        network = options.network or Network(self._http, HttpConnector(self._http.session))
        self.transport = network.transport
        self.clock = ExchangeClock(local)
        self.limiter = PriorityLimiter(
            exchange, local, limits, pace=options.pace, sleep=options.sleep
        )
        self.pulses = Pulses(local)
        self.breaker = CircuitBreaker(exchange, local, on_closed=self.pulses.hurry)
        self._local = local
        self._connector = network.connector

    def stream(self, name: str, channel: Channel) -> SupervisedStream:
        """Return a stream that carries a channel; ``name`` is what logs call it."""
        stream = SupervisedStream(
            name,
            channel,
            self._connector,
            self._local,
            plan=self.options.plan,
            sleep=self.options.sleep,
        )
        self.pulses.add(stream)
        return stream

    def streams(self, name: str, channels: Sequence[Channel]) -> list[SupervisedStream]:
        """Return a numbered stream for each channel."""
        return [self.stream(f"{name} {at}", channel) for at, channel in enumerate(channels, 1)]

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()
