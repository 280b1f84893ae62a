"""Fault plans: what goes wrong, when, decided by a seed and nothing else."""

import hashlib
import json
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from milobot.errors import ConfigurationError
from milobot.local_exchange.fault_kinds import KINDS, family


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One line of a plan.

    Attributes:
        fault: A name of ``KINDS``, or an error code such as ``-2019`` for a rejection with it.
        on: Pattern of the calls it strikes, such as ``place*``; see ``docs/local-exchange.md``.
        times: How often it strikes; 0 is always.
        skip: How many matching calls it lets pass first.
        chance: Probability with which it strikes a matching call.
        settings: The parameters of the kind.
    """

    fault: str
    on: str
    times: int
    skip: int
    chance: float
    settings: Mapping[str, float | str]

    def number(self, name: str) -> float:
        """Return a parameter as a number."""
        return float(self.settings[name])

    def word(self, name: str) -> str:
        """Return a parameter as a word."""
        return str(self.settings[name])

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as a plan file writes it."""
        return {
            "fault": self.fault,
            "on": self.on,
            "times": self.times,
            "skip": self.skip,
            "chance": self.chance,
            **self.settings,
        }


class FaultPlan:
    """Rules and their counters; the same calls in the same order meet the same faults."""

    def __init__(self, rules: Iterable[FaultRule] = (), *, seed: int = 0) -> None:
        """Start with all counters at zero."""
        self.seed = seed
        self.rules: list[FaultRule] = []
        self._seen: list[int] = []
        self._struck: list[int] = []
        self.extend(rules)

    def extend(self, rules: Iterable[FaultRule]) -> None:
        """Add rules behind those there are."""
        for rule in rules:
            self.rules.append(rule)
            self._seen.append(0)
            self._struck.append(0)

    def clear(self) -> None:
        """Forget all rules."""
        self.rules, self._seen, self._struck = [], [], []

    def has(self, prefix: str) -> bool:
        """Return whether a rule's fault begins with ``prefix``."""
        return any(rule.fault.startswith(prefix) for rule in self.rules)

    def decide(self, call: str) -> list[FaultRule]:
        """Return the faults that strike this call, and count it."""
        struck = []
        for index, rule in enumerate(self.rules):
            if family(call) != family(KINDS[rule.fault].on) or not fnmatchcase(call, rule.on):
                continue
            seen = self._seen[index]
            self._seen[index] += 1
            if seen < rule.skip or (rule.times and self._struck[index] >= rule.times):
                continue
            if self.uniform(index, seen) < rule.chance:
                self._struck[index] += 1
                struck.append(rule)
        return struck

    def uniform(self, index: int, count: int) -> float:
        """Return a number in [0, 1) that depends on seed, rule and count only."""
        digest = hashlib.sha256(f"{self.seed}/{index}/{count}".encode()).digest()
        return int.from_bytes(digest[:7]) / 256**7

    def latency_ms(self, rule: FaultRule) -> float:
        """Return the next latency of a rule: log-normal with its median and 95th percentile."""
        index = self.rules.index(rule)
        first = max(self.uniform(index, 2 * self._seen[index] + 1_000_003), 1e-12)
        second = self.uniform(index, 2 * self._seen[index] + 1_000_004)
        normal = math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)
        p50, p95 = rule.number("p50_ms"), rule.number("p95_ms")
        sigma = math.log(max(p95, p50) / p50) / 1.645 if p50 > 0 else 0.0
        return p50 * math.exp(sigma * normal)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan with its counters."""
        return {
            "seed": self.seed,
            "rules": [
                {**rule.to_dict(), "seen": seen, "struck": struck}
                for rule, seen, struck in zip(self.rules, self._seen, self._struck, strict=True)
            ],
        }


def parse_rule(fields: Mapping[str, Any]) -> FaultRule:
    """Return the rule that a mapping describes.

    Raises:
        ConfigurationError: A name is unknown or a value is out of range; names it.
    """
    given = dict(fields)
    name = str(given.pop("fault", ""))
    if name.lstrip("-").isdigit():
        given["code"] = name
        name = "reject"
    kind = KINDS.get(name)
    if kind is None:
        raise ConfigurationError(f"unknown fault {name[:40]!r}: use one of {', '.join(KINDS)}")
    settings = dict(kind.parameters)
    rule = {"on": kind.on, "times": 1, "skip": 0, "chance": 1.0}
    for key, value in given.items():
        target: dict[str, Any] = rule if key in rule else settings
        if key not in target:
            known = ", ".join([*rule, *settings])
            raise ConfigurationError(f"fault {name} has no setting {key[:40]!r}: use {known}")
        target[key] = _as_type_of(target[key], value, f"{name}.{key}")
    return FaultRule(
        name,
        str(rule["on"]),
        int(str(rule["times"])),
        int(str(rule["skip"])),
        float(str(rule["chance"])),
        settings,
    )


def parse_rule_text(text: str) -> FaultRule:
    """Return the rule written as ``name:key=value,key=value``.

    Raises:
        ConfigurationError: It is not written so.
    """
    name, _, rest = text.partition(":")
    fields: dict[str, Any] = {"fault": name.strip()}
    for part in filter(None, (p.strip() for p in rest.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigurationError(f"{part[:40]!r} is no setting: write name:key=value,key=value")
        fields[key.strip()] = value.strip()
    return parse_rule(fields)


def parse_plan(content: Mapping[str, Any]) -> FaultPlan:
    """Return the plan of ``{"seed": n, "rules": [...]}``.

    Raises:
        ConfigurationError: It is not such a plan.
    """
    rules = content.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
        raise ConfigurationError('a fault plan is {"seed": 1, "rules": [{"fault": "drop_after"}]}')
    seed = content.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ConfigurationError("the seed of a fault plan is a whole number")
    return FaultPlan([parse_rule(rule) for rule in rules], seed=seed)


def load_plan(path: Path) -> FaultPlan:
    """Return the plan of a .toml or .json file.

    Raises:
        ConfigurationError: The file cannot be read or holds no plan.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{path.name} holds no fault plan: {str(exc)[:80]}") from exc
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path.name} holds no fault plan: it must be a table with rules")
    return parse_plan(content)


def _as_type_of(default: object, value: object, name: str) -> float | str | int:
    if isinstance(default, str):
        return str(value)
    try:
        number = float(str(value))
    except ValueError:
        raise ConfigurationError(f"{name} is a number, not {str(value)[:40]!r}") from None
    if not math.isfinite(number):
        raise ConfigurationError(f"{name} is a number, not {str(value)[:40]!r}")
    if isinstance(default, int) and (number < 0 or number != int(number)):
        raise ConfigurationError(f"{name} is a whole number of 0 or more, not {str(value)[:40]!r}")
    return int(number) if isinstance(default, int) else number
