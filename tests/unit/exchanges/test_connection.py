"""What the parts of a connection owe to each other."""

import asyncio

from tests.support.fake_sockets import FakeConnector, QuietChannel
from tests.support.virtual_time import VirtualTime

from milobot.exchanges.connection import Connection
from milobot.exchanges.options import ClientOptions, Network
from milobot.exchanges.sockets import Signal
from milobot.exchanges.transport import HttpTransport


async def test_streams_come_back_with_the_first_answer_after_an_outage() -> None:
    """The breaker learns that the exchange is back; streams must not sleep on for a minute."""
    time = VirtualTime()
    connector = FakeConnector(time)
    network = Network(HttpTransport(), connector)
    connection = Connection("X", (), ClientOptions(clock=time, sleep=time.sleep, network=network))
    streams = connection.streams("x", [QuietChannel(), QuietChannel()])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(stream.run()) for stream in streams]
        await time.run_for(0)
        connector.refusals = 1000
        for socket in connector.sockets[:]:
            socket.push(Signal.CLOSED)
        for _ in range(10):
            connection.breaker.failed()
        await time.run_for(600)
        connector.refusals = 0

        connection.breaker.succeeded()
        await time.run_for(6.1)

        assert [stream.health.is_connected for stream in streams] == [True, True]
        for task in tasks:
            task.cancel()
