"""POST /signal: what is taken, what is refused, and what is on record afterwards."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.support.signal_servers import NOW_MS, ORDER, SignalSite, signal_site

from milobot.signals.door import SignalState


@pytest.fixture
async def site() -> AsyncIterator[SignalSite]:
    """Return a server on this machine, without a token."""
    async with signal_site() as site:
        yield site


async def test_a_signal_is_accepted_with_its_number_and_state(site: SignalSite) -> None:
    """The sender learns under which number to look."""
    answer = await site.post(ORDER)

    assert answer.status_code == 202
    assert answer.headers["location"] == "/signals/1"
    assert answer.json() == {"id": 1, "state": "entering", "code": "", "reason": ""}
    (incoming,) = site.door.incoming
    assert (incoming.source, incoming.text) == ("http:default", "BUY BTCUSDT 0.001")
    assert (incoming.posted_ms, dict(incoming.metadata)) == (NOW_MS, {"source": "test"})


async def test_each_post_without_a_key_is_a_new_signal(site: SignalSite) -> None:
    """Two equal orders may be meant: without a key nobody can tell a repetition."""
    answers = [await site.post(ORDER) for _ in range(2)]

    assert [answer.json()["id"] for answer in answers] == [1, 2]
    assert [answer.status_code for answer in answers] == [202, 202]


async def test_the_same_key_is_the_same_signal(site: SignalSite) -> None:
    """Whoever got no answer sends again; it must not trade twice."""
    answers = [await site.post(ORDER, Idempotency_Key="order-17") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 200, 200]
    assert [answer.json()["id"] for answer in answers] == [1, 1, 1]
    assert site.door.texts == ["BUY BTCUSDT 0.001"]


async def test_a_key_used_for_another_message_is_refused(site: SignalSite) -> None:
    """Its sender would believe that the second order was taken."""
    await site.post(ORDER, Idempotency_Key="k")

    answer = await site.post({"message": "SELL ETHUSDT 1"}, Idempotency_Key="k")

    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["id"]) == ("key_reused", 1)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "caf\u00e9"])
async def test_a_malformed_key_is_refused(site: SignalSite, key: str) -> None:
    """A key that is dropped instead would let a repetition trade twice."""
    answer = await site.client.post(
        "/signal", json=ORDER, headers={b"idempotency-key": key.encode()}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")
    assert not site.door.incoming


async def test_two_keys_are_refused(site: SignalSite) -> None:
    """Nobody can say which of them counts."""
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]

    answer = await site.client.post("/signal", json=ORDER, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x" * 5000, "too_long"),
        ("BUY BTCUSDT 0.001\u202e", "control_characters"),
        ("BUY BTCUSDT\u0000 0.001", "control_characters"),
        ("BUY BTCUSDT 0", "bad_quantity"),
        ("BUY BTCUSDT -1", "bad_quantity"),
        ("BUY BTCUSDT 1e9", "bad_quantity"),
        ("BUY BTCUSDT 0,001", "bad_quantity"),
        ("BUY BTCUSDT NaN", "bad_quantity"),
        ("LONG BTCUSDT entry 64000 sl 65000 tp 66000", "stop_wrong_side"),
        ("LONG BTC/USDT ETH/USDT entry 64000 sl 63000", "two_symbols"),
        ("who is with me?", "chat"),
    ],
)
async def test_what_is_not_certain_is_on_record_and_refused(
    site: SignalSite, message: str, code: str
) -> None:
    """The sender learns why, and the question can be answered later too."""
    answer = await site.post({"message": message})

    told = answer.json()
    assert answer.status_code == 422
    assert (told["id"], told["code"]) == (1, code)
    assert told["detail"] == told["reason"] != ""
    assert site.door.texts == [message]
    assert site.access.refused == {code: 1}


async def test_a_refused_signal_stays_refused_when_it_is_sent_again(site: SignalSite) -> None:
    """A 200 for the repetition would say that it was taken after all."""
    answers = [await site.post({"message": "hello"}, Idempotency_Key="k") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [422, 422]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (SignalState.WAITING, 202),
        (SignalState.DENIED, 202),
        (SignalState.APPLIED, 202),
        (SignalState.DUPLICATE, 200),
        (SignalState.LATE, 422),
    ],
)
async def test_the_status_says_whether_the_signal_was_taken(
    site: SignalSite, state: SignalState, status: int
) -> None:
    """A program looks at the status alone."""
    site.door.answers["BUY BTCUSDT 0.001"] = state

    answer = await site.post(ORDER)

    assert answer.status_code == status
    assert (answer.json()["id"], answer.json()["state"]) == (1, state.value)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b'{"message": "BUY BTCUSDT 0.001"', 400, "malformed_json"),
        (b'{"message": "BUY BTCUSDT 0.001"} {}', 400, "malformed_json"),
        (b"[]", 400, "malformed_json"),
        (b"null", 400, "malformed_json"),
        (b'"BUY BTCUSDT 0.001"', 400, "malformed_json"),
        (b'{"message": "\xff"}', 400, "malformed_json"),
        (b'{"message": "\\ud800"}', 400, "malformed_json"),
        (b'{"message": "x", "metadata": {"a": NaN}}', 400, "malformed_json"),
        (b"[" * 3000, 400, "malformed_json"),
        (b"{}", 422, "no_message"),
        (b'{"message": null}', 422, "no_message"),
        (b'{"message": 5}', 422, "no_message"),
        (b'{"message": ["BUY BTCUSDT 0.001"]}', 422, "no_message"),
        (b'{"message": "BUY BTCUSDT 0.001", "quantity": 5}', 422, "unknown_field"),
        (b'{"message": "BUY BTCUSDT 0.001", "metadata": []}', 422, "bad_metadata"),
        (b'{"message": "BUY BTCUSDT 0.001", "metadata": "x"}', 422, "bad_metadata"),
        (b'{"message": "BUY BTCUSDT 0.001", "metadata": {"a": {}}}', 422, "bad_metadata"),
        (b'{"message": "BUY BTCUSDT 0.001", "metadata": {"a": [1]}}', 422, "bad_metadata"),
        (b'{"message": "BUY BTCUSDT 0.001", "metadata": {"": 1}}', 422, "bad_metadata"),
        (b'{"message": "BUY BTCUSDT 0.001", "metadata": {"a": "\\u0000"}}', 422, "bad_metadata"),
    ],
)
async def test_a_malformed_request_is_refused_counted_and_logged(
    site: SignalSite, body: bytes, status: int, code: str
) -> None:
    """None of it may reach the reader: half a request could read as a whole order."""
    with capture_logs() as lines:
        answer = await site.post(body)

    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.json()["detail"].endswith(".")
    assert not site.door.incoming
    assert site.access.refused == {code: 1}
    assert [(line["event"], line["code"]) for line in lines] == [("request_refused", code)]


async def test_metadata_may_not_be_a_second_message(site: SignalSite) -> None:
    """What is kept with each signal must not fill the ledger."""
    many: dict[str, Any] = {str(number): number for number in range(51)}

    for metadata in (many, {"a": "x" * 1001}, {"n" * 65: 1}):
        answer = await site.post({"message": "BUY BTCUSDT 0.001", "metadata": metadata})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_metadata")


async def test_metadata_is_kept_as_text(site: SignalSite) -> None:
    """Numbers and truth values are fine; the ledger keeps words."""
    await site.post({"message": "BUY BTCUSDT 0.001", "metadata": {"n": 1.5, "b": True, "z": None}})

    assert dict(site.door.incoming[0].metadata) == {"n": "1.5", "b": "true", "z": "null"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_only_json_is_taken(site: SignalSite, kind: str) -> None:
    """The other types are those that a foreign page can send without asking first."""
    body = b'{"message": "BUY BTCUSDT 0.001"}'

    answer = await site.post(body, content_type=kind)

    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_content_type")
    assert not site.door.incoming


async def test_json_may_state_its_charset(site: SignalSite) -> None:
    """Many clients always do."""
    body = b'{"message": "BUY BTCUSDT 0.001"}'

    assert (
        await site.post(body, content_type="Application/JSON; charset=utf-8")
    ).status_code == 202


async def test_a_ledger_that_is_away_asks_the_sender_to_come_again(site: SignalSite) -> None:
    """What is not on record was not taken; the key lets the repetition count once."""
    site.door.is_away = True

    answer = await site.post(ORDER)
    site.door.is_away = False
    key = answer.json()["idempotency_key"]
    again = [await site.post(ORDER, Idempotency_Key=key) for _ in range(2)]

    assert (answer.status_code, answer.json()["code"]) == (503, "not_recorded")
    assert int(answer.headers["retry-after"]) > 0
    assert [repeated.status_code for repeated in again] == [202, 200]


async def test_the_history_of_a_signal_is_shown_whole(site: SignalSite) -> None:
    """It answers what became of it and why."""
    await site.post(ORDER, Idempotency_Key="k")

    told = (await site.client.get("/signals/1")).json()

    assert (told["id"], told["state"], told["account"]) == (1, "entering", "bingx:default")
    assert (told["source"], told["message_id"]) == ("http:default", "k")
    assert (told["text"], told["received_ms"]) == ("BUY BTCUSDT 0.001", NOW_MS)
    assert told["received"] == "2025-11-21 16:00"
    assert told["reading"] == {"symbol": "BTCUSDT"}
    assert told["intent_keys"] == ["http:default|k|entry"]
    assert told["events"] == [
        {
            "time_ms": NOW_MS,
            "time": "2025-11-21 16:00",
            "kind": "received",
            "state": "entering",
            "code": "",
            "sentence": "",
        }
    ]


@pytest.mark.parametrize("number", ["2", "0", "-1", "1.0", "abc", "9" * 30, "\u0661", "%00"])
async def test_a_signal_that_is_not_there_is_not_found(site: SignalSite, number: str) -> None:
    """Whatever stands in the address."""
    await site.post(ORDER)

    answer = await site.client.get(f"/signals/{number}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_signal"


async def test_the_last_signals_are_listed_newest_first(site: SignalSite) -> None:
    """What came in lately, without asking for each."""
    for quantity in ("1", "2", "3"):
        await site.post({"message": f"BUY BTCUSDT {quantity}"})

    listed = (await site.client.get("/signals?limit=2")).json()["signals"]

    assert [(row["id"], row["text"]) for row in listed] == [
        (3, "BUY BTCUSDT 3"),
        (2, "BUY BTCUSDT 2"),
    ]
    assert len((await site.client.get("/signals")).json()["signals"]) == 3


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "9" * 40])
async def test_a_wrong_limit_is_refused(site: SignalSite, limit: str) -> None:
    """A list without end would hold up the loop that also trades."""
    answer = await site.client.get(f"/signals?limit={limit}")

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_limit")


@pytest.mark.parametrize("path", ["/signals", "/signals/1"])
async def test_a_ledger_that_cannot_be_read_says_so(site: SignalSite, path: str) -> None:
    """It is no missing signal."""
    site.door.is_away = True

    answer = await site.client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (503, "ledger_unavailable")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_signals_are_only_posted(site: SignalSite, method: str) -> None:
    """A link that somebody follows must not trade."""
    assert (await site.client.request(method, "/signal")).status_code == 405
