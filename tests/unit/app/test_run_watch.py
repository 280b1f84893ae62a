"""What a run's watch knows: the ledger in virtual time, endpoints before anything is open, its port."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from structlog.testing import capture_logs
from tests.support.pages import served
from tests.support.virtual_time import VirtualTime

from milobot.app.health import Role
from milobot.app.ledger_watch import LedgerWatch
from milobot.app.metrics_port import Scraped, open_metrics_port, serving_metrics
from milobot.app.watch import RunWatch
from milobot.errors import LedgerUnavailableError
from milobot.settings import load_settings
from milobot.storage.leases import take_lease
from milobot.storage.ledger import Ledger, lease_name, open_ledger
from milobot.storage.schema import REVISIONS
from milobot.web.access import Access
from milobot.web.access_rules import AccessRules
from milobot.web.app import create_app
from milobot.web.observe_routes import observe_routes
from milobot.web.state import ChartState, Heading

ACCOUNT = "binance:default"


class Away:
    """A ledger that does not answer, or hangs."""

    def __init__(self, time: VirtualTime, *, hangs: bool = False) -> None:
        """Keep how it behaves."""
        self._time, self._hangs = time, hangs

    async def read(self, query: object) -> Any:
        """Raise, or wait for ever."""
        del query
        if self._hangs:
            raise TimeoutError
        raise LedgerUnavailableError("PostgreSQL at db:5432 is away: start it")


def watch_of(time: VirtualTime) -> LedgerWatch:
    """Return a watch by virtual time."""
    return LedgerWatch([ACCOUNT], sleep=time.sleep, elapsed=lambda: time.now_ms() / 1000)


async def test_a_ledger_that_answers_is_known_with_its_version(tmp_path: Path) -> None:
    """The age of the answer is what readiness goes by."""
    time = VirtualTime()
    watch = watch_of(time)
    before = watch.sight
    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
        await watch.ask(ledger)
    time.step(700)

    after = watch.sight
    assert (before.age_ms, before.revision) == (None, "")
    assert (after.age_ms, after.revision, after.needed) == (700, REVISIONS[-1], REVISIONS[-1])


@pytest.mark.parametrize(("revision", "is_newer"), [("9999", True), (REVISIONS[0], False)])
async def test_a_ledger_that_a_newer_milobot_made_is_known_as_such(
    tmp_path: Path, revision: str, *, is_newer: bool
) -> None:
    """An upgrade migrates before the old process ends; to migrate again would not help it."""
    watch = watch_of(VirtualTime())
    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
        with closing(sqlite3.connect(tmp_path / "m.db")) as file:
            file.execute("UPDATE alembic_version SET version_num = ?", (revision,))
            file.commit()
        await watch.ask(ledger)

    assert watch.sight.revision == revision
    assert watch.sight.is_newer is is_newer


@pytest.mark.parametrize(
    ("hangs", "reason"), [(False, "is away: start it"), (True, "no answer within 2 s")]
)
async def test_a_ledger_that_is_away_is_in_trouble_until_it_answers(
    tmp_path: Path, reason: str, *, hangs: bool
) -> None:
    """The reason is the sentence that helps; with the next answer it is gone."""
    time = VirtualTime()
    watch = watch_of(time)

    await watch.ask(cast("Ledger", Away(time, hangs=hangs)))
    assert reason in watch.sight.trouble

    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:
        await watch.ask(ledger)
    assert watch.sight.trouble == ""


async def test_a_leader_counts_while_it_renews_its_lease(tmp_path: Path) -> None:
    """One that has died leaves a row that never moves again."""
    time = VirtualTime()
    watch = watch_of(time)
    async with await open_ledger(f"sqlite:///{tmp_path}/m.db") as ledger:

        async def renew(now_ms: int) -> None:
            name = lease_name(ACCOUNT)
            await ledger.write(lambda c: take_lease(c, name, "other:1", now_ms=now_ms))
            await watch.ask(ledger)

        assert watch.leader(ACCOUNT) == ("", 0)
        for second in range(8):
            await renew(second * 1_000)
            time.step(1_000)
        assert watch.leader(ACCOUNT) == ("other:1", 1)

        for _ in range(7):
            await watch.ask(ledger)
            time.step(1_000)
        assert watch.leader(ACCOUNT) == ("", 0)


def page_of(watch: RunWatch, access: Access | None) -> Any:
    """Return a page with the endpoints of a watch."""
    state = ChartState(Heading("demo", "BTCUSDT", "1h", "x"))
    return create_app(state, access=access, routes=observe_routes(watch, access))


async def test_before_the_ledger_is_open_the_endpoints_answer() -> None:
    """A container that waits for its database is alive, not ready, and says why."""
    watch = RunWatch([ACCOUNT], "testnet")
    watch.ledger.trouble = "no tables yet: run `alembic upgrade head`"
    access = Access(AccessRules(token="a-token-of-16-characters"))  # noqa: S106 - made up
    watch.access = access
    async with served(page_of(watch, access)) as site:
        health = await site.client.get("/health")
        ready = await site.client.get("/ready", headers={"Host": "10.0.0.7:8080"})
        metrics = await site.client.get("/metrics", headers={"Host": "10.0.0.7:8080"})
        strange = await site.client.get("/status")
        bearer = {"Authorization": "Bearer a-token-of-16-characters"}
        status = await site.client.get("/status", headers=bearer)

    assert (health.status_code, ready.status_code, metrics.status_code) == (200, 503, 200)
    assert any("alembic upgrade head" in reason for reason in ready.json()["missing"])
    assert ready.headers["cache-control"] == "no-store"
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "ready 0.0" in metrics.text
    assert strange.status_code == 401
    assert status.json()["accounts"][0]["role"] == Role.UNKNOWN.value
    assert status.json()["http_refused"] == {"wrong_token": 1}


def settings_with(port: int) -> Any:
    """Return settings that name a port for metrics."""
    return load_settings(None).model_copy(update={"metrics_port": port})


async def test_the_port_for_metrics_serves_those_and_nothing_else() -> None:
    """A Prometheus in the cluster reaches it; the account's page must not be behind it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with open_metrics_port("127.0.0.1", settings_with(port)) as listener:
        scraped = Scraped(RunWatch([ACCOUNT], "live"), listener)
        async with serving_metrics(scraped), httpx.AsyncClient(trust_env=False) as client:
            found = {
                path: (await client.get(f"http://127.0.0.1:{port}{path}")).status_code
                for path in ("/metrics", "/health", "/ready", "/status", "/")
            }

    assert found == {"/metrics": 200, "/health": 200, "/ready": 503, "/status": 421, "/": 421}


async def test_a_port_that_is_taken_is_one_warning() -> None:
    """Trading does not end for a figure."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, capture_logs() as lines:
        port = taken.getsockname()[1]
        with open_metrics_port("127.0.0.1", settings_with(port)) as listener:
            async with serving_metrics(Scraped(RunWatch([ACCOUNT], "live"), listener)):
                pass

    assert listener is None
    assert [line["event"] for line in lines] == ["metrics_port_not_opened"]
    assert f"choose another with METRICS_PORT={port + 1}" in lines[0]["said"]
    assert f"{port}" in lines[0]["said"]


async def test_port_zero_opens_none() -> None:
    """Whoever runs several bots on a machine may want none."""
    with capture_logs() as lines, open_metrics_port("127.0.0.1", settings_with(0)) as listener:
        assert listener is None
        async with serving_metrics(None):
            pass

    assert lines == []


async def test_the_event_loop_is_measured_while_a_run_is_at_work() -> None:
    """What holds up orders shows as lag; and the measuring ends with the run."""
    time = VirtualTime()
    watch = RunWatch([ACCOUNT], "live", sleep=time.sleep, elapsed=lambda: time.now_ms() / 1000)
    async with watch.at_work():
        await time.run_for(5)

    read = watch.meters.registry.get_sample_value
    assert read("event_loop_lag_seconds_count") == 20
