"""From a post in a channel to a protected position, and back to the person who owns the bot."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.support.live_runs import Bot, Market, is_protected, market, rows, until
from tests.support.mtproto.login import TOKEN
from tests.support.mtproto.server import TelegramServer
from tests.support.mtproto.world import ALICE_ID
from tests.support.process import start_milobot
from tests.support.telegrams import CALLS, server_key

from milobot.local_exchange.setup import DEFAULT_KEY, DEFAULT_SECRET

SET_UP = "#BTC/USDT LONG\nEntry: market\nStop loss: 5%\nTP1: 60000\nTP2: 70000"


@asynccontextmanager
async def telegram(folder: Path) -> AsyncIterator[tuple[TelegramServer, dict[str, str]]]:
    """Serve a channel; yield the server and the settings under which milobot listens to it."""
    server = await TelegramServer(server_key()).start()
    chat = server.world.add_channel(CALLS, "Calls")
    pem = folder / "server.pem"
    pem.write_bytes(server.key.public.save_pkcs1())
    try:
        yield (
            server,
            {
                "TELEGRAM_API_ID": "1",
                "TELEGRAM_API_HASH": "hash1234",
                "TELEGRAM_BOT_TOKEN": TOKEN,
                "TELEGRAM_CHATS": str(chat),
                "TELEGRAM_ADMINS": str(ALICE_ID),
                "TELEGRAM_SERVER": f"127.0.0.1:{server.port}",
                "TELEGRAM_SERVER_PEM": str(pem),
            },
        )
    finally:
        await server.stop()


@contextmanager
def listening_bot(folder: Path, exchange: Market, settings: dict[str, str]) -> Iterator[Bot]:
    """Run the bot for signals on a local exchange that speaks BingX's dialect."""
    keys = {
        "BINGX_BASE_URL": exchange.url,
        "BINGX_API_KEY": DEFAULT_KEY,
        "BINGX_SECRET_KEY": DEFAULT_SECRET,
        "TRADING_ENABLED": "true",
    }
    log = folder / f"bot-{len(list(folder.glob('bot-*.log')))}.log"
    with log.open("wb") as out:
        process = start_milobot(
            "run", "--port", "0", cwd=folder, stdout=out, stderr=out, **keys, **settings
        )
    try:
        yield Bot(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=20)


async def wait_for(holds: Callable[[], bool], what: str) -> None:
    """Wait for something without holding up the server, which lives in this loop."""
    await asyncio.to_thread(until, holds, what)


async def test_a_post_becomes_a_protected_position_once_over_a_crash(tmp_path: Path) -> None:
    """What was posted while the bot was dead is traded after it is back; nothing comes twice."""
    with market("--dialect", "bingx", speed="0.5") as exchange:
        async with telegram(tmp_path) as (server, settings):
            with listening_bot(tmp_path, exchange, settings) as first:
                await asyncio.to_thread(first.wait_for, "account_known")
                await wait_for(lambda: "GetChannelsRequest" in server.calls, "the chat is known")
                post = server.post(CALLS, SET_UP)
                await wait_for(lambda: is_protected(tmp_path), "a position with its stop")
                await wait_for(lambda: len(exchange.resting()) >= 3, "a stop and two targets")
                await wait_for(lambda: bool(server.answers.sent), "the owner is told")
                first.kill()
            server.post(CALLS, "Close BTC")

            with listening_bot(tmp_path, exchange, settings) as second:
                await asyncio.to_thread(second.wait_for, "account_known")
                await wait_for(lambda: exchange.held() == "0", "closed by what was missed")
                closed = "select 1 from signals where state = 'closed'"
                await wait_for(lambda: bool(rows(tmp_path, closed)), "the signal says so")
                server.say("/positions")
                await wait_for(
                    lambda: any("nothing is open" in text for _, text in server.answers.sent),
                    "the owner is answered",
                )

    states = dict(rows(tmp_path, "select message_id, state from signals"))
    entries = rows(tmp_path, "select client_order_id from orders where purpose = 'entry'")
    assert states[str(post)] == "closed"
    assert len(states) == 2
    assert len(entries) == 1
