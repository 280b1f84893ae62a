"""A worker in a stranger's hands: ``python -I hostile_worker.py HABIT [FILE]``.

It says that it is locked in, takes scripts like a good one, and answers each
question about a candle by its habit. It is not locked in at all: it shows what
the bot makes of answers, not what a lock holds back.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from milobot.scripting.protocol import LENGTHS, decode_header, decode_lengths, encode

READY: dict[str, object] = {"ready": True, "level": "full", "failed": {}}
PARTIAL: dict[str, object] = {"ready": True, "level": "partial", "failed": {"landlock": "ENOSYS"}}
INFO: dict[str, object] = {
    "timeframe": "1h",
    "coin": "BTCUSDT",
    "texts": ["long(1usdt)", "donothing"],
    "parameters": {},
}
Request = dict[str, object]


def main() -> None:
    """Answer until the pipe closes."""
    habit = sys.argv[1]
    if habit == "silent_start":
        time.sleep(60)
    say(encode(PARTIAL if habit == "worse_later" and _starts() > 2 else READY))
    while prefix := _read(LENGTHS.size):
        header_length, body_length = decode_lengths(prefix)
        request = decode_header(_read(header_length))
        size = len(_read(body_length))
        if request["op"] == "step":
            HABITS[habit](request, size)
        else:
            answer = INFO if request["op"] == "load" else {"length": 0}
            say(encode({**answer, "id": request["id"]}))


def true_answer(request: Request, text: str = "") -> dict[str, object]:
    """Return an answer as a good worker gives it; the text is a print."""
    prints = [[request["start"], text]] if text else []
    parts = {"errors": [], "prints": prints, "print_count": len(prints), "indicators": []}
    return {**parts, "start": request["start"], "id": request["id"]}


def honest(request: Request, size: int) -> None:
    """Answer TRUE, and print how many bytes came with the question."""
    say(encode(true_answer(request, f"{size} bytes"), b"\x01"))


def talkative(request: Request, size: int) -> None:
    """Answer, and a moment later once more."""
    honest(request, size)
    time.sleep(0.05)
    honest(request, size)


def forger(request: Request, _: int) -> None:
    """Put an answer to the next question behind the one to this."""
    following = {**true_answer(request), "id": int(str(request["id"])) + 1}
    say(encode(true_answer(request), b"\x00") + encode(following, b"\x01"))


def killed_once(request: Request, size: int) -> None:
    """Be killed at the first question that ever comes, as when memory runs out."""
    if Path(sys.argv[2]).exists():
        honest(request, size)
    else:
        Path(sys.argv[2]).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _plain(make: Callable[[Request], bytes]) -> Callable[[Request, int], None]:
    return lambda request, _: say(make(request))


def _ending(code: int) -> Callable[[Request, int], None]:
    return lambda *_: os.kill(os.getpid(), code)


HABITS: dict[str, Callable[[Request, int], None]] = {
    "honest": honest,
    "worse_later": lambda *_: os._exit(3),
    "killed_once": killed_once,
    # What follows must never pass for a decision.
    "talkative": talkative,
    "forger": forger,
    "other_id": _plain(lambda r: encode({**true_answer(r), "id": 999}, b"\x01")),
    "true_for_id": _plain(lambda r: encode({**true_answer(r), "id": True}, b"\x01")),
    "no_id": _plain(lambda r: encode({**true_answer(r), "id": None}, b"\x01")),
    "garbage": _plain(lambda _: b"\xff" * 100),
    "text": _plain(lambda _: b"Traceback (most recent call last):\n"),
    "long_header": _plain(lambda _: LENGTHS.pack(3 << 20, 0)),
    "long_body": _plain(lambda _: LENGTHS.pack(10, 1 << 30)),
    "two_codes": _plain(lambda r: encode(true_answer(r), b"\x01\x01")),
    "no_code": _plain(lambda r: encode(true_answer(r))),
    "unknown_code": _plain(lambda r: encode(true_answer(r), b"\x09")),
    "deep": _plain(lambda _: LENGTHS.pack(200_000, 0) + b"[" * 200_000),
    "list": _plain(lambda _: LENGTHS.pack(2, 0) + b"[]"),
    "other_start": _plain(lambda r: encode({**true_answer(r), "start": 7}, b"\x01")),
    "future_print": _plain(
        lambda r: encode({**true_answer(r), "prints": [[10**6, "x"]], "print_count": 1}, b"\x01")
    ),
    "progress_only": _plain(lambda r: encode({"progress": 1, "id": r["id"]})),
    "error": _plain(lambda r: encode({"error": {"kind": "data", "reason": "x"}, "id": r["id"]})),
    "half": _plain(lambda r: encode(true_answer(r), b"\x01")[:-1]),
    "silent": lambda *_: None,
    "exit": lambda *_: os._exit(3),
    "closes": lambda *_: os.close(1),
    "crash": _ending(signal.SIGSEGV),
    "alarm": _ending(signal.SIGSYS),
}


def say(data: bytes) -> None:
    """Write to the bot."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]


def _starts() -> int:
    """Return how often this program was started with the same file."""
    log = Path(sys.argv[2])
    with log.open("a") as file:
        file.write("x")
    return log.stat().st_size


def _read(length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length and (part := os.read(0, length - len(parts))):
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main()
