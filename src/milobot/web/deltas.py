"""What changed on the page between two revisions, and how to apply it.

The same rules are written a second time in ``static/model.js``; a browser test
holds the two together. A delta is ``{"kind", "base", "revision", "replace",
"append", "trim"}``, all three applied in that order:

- ``replace``: key to its new value.
- ``append``: key to the items that follow. Of a ZigZag, unconfirmed points at
  the end give way to what is appended. Studies (``overlays``, ``panes``) name
  the values that follow by study and line.
- ``trim``: key to how many of its oldest items go, of studies: how many of the
  oldest values of each line.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Model = dict[str, Any]
STUDY_KEYS = ("overlays", "panes")


@dataclass(slots=True)
class Delta:
    """Changes that lead from revision ``base`` to ``revision``."""

    base: int
    revision: int
    replace: dict[str, Any] = field(default_factory=dict)
    append: dict[str, list[Any]] = field(default_factory=dict)
    trim: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether anything changes."""
        return bool(self.replace or self.append or self.trim)

    def put(self, key: str, value: object) -> None:
        """Replace a value; what was to be appended before is void."""
        self.append.pop(key, None)
        self.trim.pop(key, None)
        self.replace[key] = value

    def add(self, key: str, items: Iterable[Any]) -> None:
        """Append items, or the next values of studies."""
        extend(self.append.setdefault(key, []), key, items)

    def as_message(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "kind": "delta",
            "base": self.base,
            "revision": self.revision,
            "replace": self.replace,
            "append": self.append,
            "trim": self.trim,
        }


def extend(target: list[Any], key: str, items: Iterable[Any]) -> None:
    """Append items to the list of ``key`` in place, by the rule of that key."""
    if key in STUDY_KEYS:
        _extend_studies(target, items)
        return
    if key == "zigzag":
        while target and not target[-1]["confirmed"]:
            target.pop()
    target.extend(items)


def apply_delta(model: Model, delta: Delta) -> None:
    """Bring a model from ``delta.base`` to ``delta.revision``, in place."""
    apply_changes(model, delta)
    apply_trims(model, delta)
    model["revision"] = delta.revision


def apply_changes(model: Model, delta: Delta) -> None:
    """Replace and append; what the model will change later, it copies."""
    for key, value in delta.replace.items():
        model[key] = _own_copy(key, value)
    for key, items in delta.append.items():
        extend(model[key], key, items)


def apply_trims(model: Model, delta: Delta) -> None:
    """Drop the oldest items."""
    for key, count in delta.trim.items():
        if key in STUDY_KEYS:
            _trim_studies(model[key], count)
        else:
            del model[key][:count]


def merge_deltas(deltas: Iterable[Delta]) -> Delta:
    """Return one delta that does what consecutive ``deltas`` do one after the other.

    Trims may move to the end because appending never looks at the front of a list.
    """
    deltas = list(deltas)
    merged = Delta(base=deltas[0].base, revision=deltas[-1].revision)
    for delta in deltas:
        for key, value in delta.replace.items():
            merged.put(key, value)
        for key, items in delta.append.items():
            merged.add(key, items)
        for key, count in delta.trim.items():
            merged.trim[key] = merged.trim.get(key, 0) + count
    return merged


def _own_copy(key: str, value: Any) -> Any:
    if key in STUDY_KEYS:
        return [copy_study(study) for study in value]
    return list(value) if isinstance(value, list) else value


def copy_study(study: dict[str, Any]) -> dict[str, Any]:
    """Return a study whose value lists can grow on their own."""
    lines = [{**line, "values": list(line["values"])} for line in study["lines"]]
    return {**study, "lines": lines}


def _extend_studies(target: list[Any], items: Iterable[Any]) -> None:
    known = {study["id"]: study for study in target}
    for item in items:
        study = known.get(item["id"])
        if study is None:
            # Only while merging: a model has every study since the last replacement.
            target.append(copy_study(item))
            continue
        for line, more in zip(study["lines"], item["lines"], strict=True):
            line["values"].extend(more["values"])


def _trim_studies(studies: list[Any], count: int) -> None:
    for study in studies:
        for line in study["lines"]:
            del line["values"][:count]
