"""Whether a run is ready: each part by itself, with a sentence that helps."""

from dataclasses import replace

import pytest

from milobot.app.health import (
    COMPARED_LATE_MS,
    LEDGER_LATE_MS,
    AccountSight,
    LedgerSight,
    Role,
    Sighting,
    judge,
)
from milobot.exchanges.pulses import Pulse

LEDGER = LedgerSight(age_ms=400, revision="0003", needed="0003")
LIVES = Pulse("binance user", 900, 3_500)
LEADS = AccountSight(
    account="binance:default",
    role=Role.LEADING,
    leader="me",
    is_compared=True,
    compared_age_ms=12_000,
    streams=(LIVES, Pulse("binance prices 1", 10, 3_500)),
)
WAITS = AccountSight(account="binance:default", role=Role.STANDING_BY, leader="other:1")


def missing(ledger: LedgerSight = LEDGER, *accounts: AccountSight) -> dict[str, str]:
    """Return the parts that are not ready, with their reasons."""
    parts = judge(Sighting(ledger, accounts or (LEADS,)))
    return {part.name: part.reason for part in parts if not part.is_ready}


def test_a_leader_with_everything_in_order_is_ready() -> None:
    """All five parts are told, also when nothing is missing."""
    parts = judge(Sighting(LEDGER, (LEADS,)))

    assert missing() == {}
    assert [part.name for part in parts] == [
        "ledger",
        "schema",
        "lease",
        "exchange_stream",
        "account_compared",
    ]


def test_a_replica_that_stands_by_is_ready() -> None:
    """It takes signals and takes over within seconds; it needs no stream for that."""
    assert missing(LEDGER, WAITS) == {}


@pytest.mark.parametrize(
    ("ledger", "part", "reason"),
    [
        (LedgerSight(), "ledger", "not asked yet"),
        (LedgerSight(trouble="it is away: start it"), "ledger", "it is away: start it"),
        (replace(LEDGER, trouble="it is away"), "ledger", "it is away"),
        (replace(LEDGER, age_ms=LEDGER_LATE_MS + 1), "ledger", "no answer for 3.5 s"),
        (replace(LEDGER, revision=""), "schema", "not known"),
        (replace(LEDGER, revision="0002"), "schema", "alembic upgrade head"),
        (replace(LEDGER, revision="0004", is_newer=True), "schema", "run the newer milobot"),
    ],
)
def test_a_ledger_in_trouble_is_named(ledger: LedgerSight, part: str, reason: str) -> None:
    """Whoever is woken by it reads what to do."""
    assert reason in missing(ledger)[part]


@pytest.mark.parametrize(
    ("account", "part", "reason"),
    [
        (replace(LEADS, role=Role.UNKNOWN), "lease", "nobody is known"),
        (replace(LEADS, streams=()), "exchange_stream", "no stream is open"),
        (
            replace(LEADS, streams=(LIVES, Pulse("binance user", None, 3_500))),
            "exchange_stream",
            "binance user is not connected",
        ),
        (
            replace(LEADS, streams=(Pulse("binance user", 3_600, 3_500),)),
            "exchange_stream",
            "binance user has been silent for 3.6 s",
        ),
        (replace(LEADS, halt="binance failed 5 times"), "exchange_stream", "failed 5 times"),
        (replace(LEADS, is_compared=False), "account_compared", "not compared"),
        (replace(LEADS, compared_age_ms=None), "account_compared", "not compared"),
        (replace(LEADS, compared_age_ms=COMPARED_LATE_MS + 1), "account_compared", "for 90 s"),
    ],
)
def test_what_is_wrong_with_an_account_is_named(
    account: AccountSight, part: str, reason: str
) -> None:
    """One part for one trouble: the others stay ready."""
    found = missing(LEDGER, account)

    assert list(found) == [part]
    assert reason in found[part]


def test_each_account_is_judged_by_itself() -> None:
    """Of two exchanges one may be away; the answer says which."""
    away = replace(LEADS, account="bingx:default", streams=())
    parts = judge(Sighting(LEDGER, (LEADS, away)))

    assert [part.account for part in parts if not part.is_ready] == ["bingx:default"]
