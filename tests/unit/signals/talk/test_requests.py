"""Requests: read as they were typed on a telephone, and never as something else."""

import pytest

from milobot.signals.talk.requests import Misread, Request, Verb, parse_request


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("/status", Request(Verb.STATUS)),
        ("/start", Request(Verb.HELP)),
        ("  /STATUS  ", Request(Verb.STATUS)),
        ("/Status@milo_bot binance", Request(Verb.STATUS, account="binance")),
        ("/positions bingx:Second", Request(Verb.POSITIONS, account="bingx:Second")),
        ("/profit", Request(Verb.PROFIT, days=1)),
        ("/profit 7", Request(Verb.PROFIT, days=7)),
        ("/profit 30 bingx", Request(Verb.PROFIT, days=30, account="bingx")),
        ("/profit bingx", Request(Verb.PROFIT, account="bingx")),
        ("/why btc", Request(Verb.WHY, "BTCUSDT")),
        ("/close   #eth/usdt", Request(Verb.CLOSE, "ETHUSDT")),
        ("/close 1000PEPEUSDT binance:two", Request(Verb.CLOSE, "1000PEPEUSDT", "binance:two")),
        ("/halt", Request(Verb.HALT)),
        ("/halt FLATTEN", Request(Verb.HALT, is_flatten=True)),
        ("/halt flatten bingx", Request(Verb.HALT, account="bingx", is_flatten=True)),
        ("/yes\u00a00042", Request(Verb.YES, code="0042")),
    ],
)
def test_commands_are_read(text: str, request_: Request) -> None:
    """Case, suffix and blanks come from the keyboard and mean nothing."""
    assert parse_request(text, "milo_bot") == request_


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "status",
        "please /halt",
        "/",
        "//halt",
        "/halts",
        "/halt now please",
        "/halt flatten everything else",
        "/close",
        "/close BTC USDT now",
        "/close BTC;ETH",
        "/close *",
        "/why",
        "/profit 0",
        "/profit 400",
        "/profit -1",
        "/profit 7 30",
        "/profit \u0667",
        "/yes",
        "/yes maybe",
        "/yes 12 34",
        "/yes ٤٨٢١",
        "/help me",
        "/close " + "A" * 200,
    ],
)
def test_everything_else_is_misread(text: str) -> None:
    """A command that is almost right is told how it is written, not guessed."""
    assert isinstance(parse_request(text), Misread)


def test_misuse_is_answered_with_the_usage() -> None:
    """Who forgets the symbol has to be told so."""
    assert parse_request("/close") == Misread("write /close SYMBOL [account]")
    assert parse_request("/help me") == Misread("write /help")


def test_commands_for_another_bot_are_none_of_ours() -> None:
    """In a group with two bots each hears what is said to the other."""
    assert parse_request("/halt@other_bot", "milo_bot") is None
    assert parse_request("/halt@Milo_Bot", "milo_bot") == Request(Verb.HALT)
    assert parse_request("/halt@any_bot") == Request(Verb.HALT)
