"""Recorded answers and events of exchanges, as they lie beside the repository."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.shared_data import shared_file


@dataclass(frozen=True)
class Payload:
    """One recorded payload.

    Attributes:
        name: Unique within its source.
        path: Method and path of the request it answers; empty for events.
    """

    name: str
    path: str
    data: Any


def rest_answers(connector: str) -> list[Payload]:
    """Return the answers that a connector's tests hold, such as ``binance_net``."""
    listed = json.loads(shared_file(f"exchange_api/{connector}_rest.json").read_text())
    return [
        Payload(one["name"], f"{one['method']} {one['path']}", one["response"]) for one in listed
    ]


def subscription_frames(connector: str) -> Iterator[Payload]:
    """Yield the frames that a connector's subscription tests hold."""
    folder = shared_file(f"exchange_api/{connector}/Subscriptions")
    for path in sorted(folder.glob("*.txt")):
        frames = re.split(r"^[=<>]\d*", path.read_text(encoding="utf-8-sig"), flags=re.MULTILINE)
        kinds = re.findall(r"^([=<>])", path.read_text(encoding="utf-8-sig"), flags=re.MULTILINE)
        for kind, text in zip(kinds, frames[1:], strict=True):
            if kind == "=":
                yield Payload(path.stem, "", json.loads(text))


def raw_payloads(exchange: str) -> list[Payload]:
    """Return the payloads of ``raw_json``."""
    lines = shared_file(f"raw_json/{exchange}_payloads.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [Payload(one["name"], one.get("http") or "", one["payload"]) for one in found]


def gzipped_json(name: str) -> Any:
    """Return a compressed payload of ``raw_json``."""
    with gzip.open(shared_file(f"raw_json/{name}"), "rt") as file:
        return json.load(file)


def recorded_frames() -> Iterator[str]:
    """Yield the texts of the recorded market stream, in order."""
    with gzip.open(shared_file("raw_json/ws_recorded_fstream_2021-07-22.jsonl.gz"), "rt") as file:
        for line in file:
            yield json.loads(line)["raw"]
