"""Posted signals on a real ledger: once, whole, and still there after a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from tests.support.signal_servers import ORDER, PLENTY

from milobot.exchanges.times import SteadyClock
from milobot.signals.inbox.inbox import InboxPlan, SignalInbox
from milobot.storage.ledger import open_ledger
from milobot.web.access import Access
from milobot.web.access_rules import AccessRules
from milobot.web.app import create_app
from milobot.web.signal_routes import signal_routes
from milobot.web.state import ChartState, Heading


@asynccontextmanager
async def served_from(file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a server whose signals are on record in a file."""
    clock = SteadyClock()
    async with await open_ledger(f"sqlite:///{file}") as ledger:
        inbox = SignalInbox(InboxPlan("bingx:default"), ledger, clock)
        access = Access(AccessRules(signal_rate=PLENTY))
        state = ChartState(Heading("demo", "BTCUSDT", "1m", "x.script"))
        app = create_app(state, access=access, routes=signal_routes(inbox, access, clock))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


async def test_of_many_equal_requests_at_once_one_counts(tmp_path: Path) -> None:
    """A client that gives up waiting sends again while the first is still on its way."""
    headers = {"idempotency-key": "k"}
    async with served_from(tmp_path / "ledger.db") as client:
        answers = await asyncio.gather(
            *(client.post("/signal", json=ORDER, headers=headers) for _ in range(20))
        )
        listed = (await client.get("/signals")).json()["signals"]

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert {answer.json()["id"] for answer in answers} == {listed[0]["id"]}
    assert len(listed) == 1


async def test_a_receipt_survives_a_restart(tmp_path: Path) -> None:
    """What was answered with 202 is on record, and its key is known."""
    headers = {"idempotency-key": "k"}
    async with served_from(tmp_path / "ledger.db") as client:
        first = await client.post("/signal", json=ORDER, headers=headers)
    async with served_from(tmp_path / "ledger.db") as client:
        again = await client.post("/signal", json=ORDER, headers=headers)
        other = await client.post("/signal", json={"message": "SELL ETHUSDT 1"}, headers=headers)
        told = (await client.get(first.headers["location"])).json()

    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 422)
    assert first.json()["id"] == again.json()["id"] == told["id"]
    assert (told["account"], told["text"]) == ("bingx:default", "BUY BTCUSDT 0.001")
    assert told["reading"]["kind"] == "order"
    assert told["events"][0]["kind"] == "received"


async def test_a_refused_message_is_on_record_with_its_reason(tmp_path: Path) -> None:
    """Whoever asks later why nothing was traded finds the same words."""
    async with served_from(tmp_path / "ledger.db") as client:
        refused = await client.post("/signal", json={"message": "BUY BTCUSDT 0,001"})
        told = (await client.get(f"/signals/{refused.json()['id']}")).json()

    assert refused.status_code == 422
    assert told["code"] == refused.json()["code"] == "bad_quantity"
    assert told["reason"] == refused.json()["reason"]
