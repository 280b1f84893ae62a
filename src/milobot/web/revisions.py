"""A JSON model that changes in numbered steps, and what its readers missed.

Nobody who reads can hold up who publishes: a reader asks for everything after
the revision it has and gets one merged delta, or the whole model when it is too
far behind.
"""

import asyncio
from collections import deque
from typing import Any

import orjson

from milobot.web.deltas import (
    STUDY_KEYS,
    Delta,
    Model,
    apply_changes,
    apply_trims,
    copy_study,
    merge_deltas,
)

REMEMBERED_DELTAS = 256
"""How many revisions a reader may be behind and still get changes instead of everything."""


class RevisedModel:
    """The published model, the changes that wait, and the last deltas.

    Attributes:
        pending: Changes that the next :meth:`publish` makes visible.
    """

    def __init__(self, model: Model, limits: dict[str, int | None]) -> None:
        """Begin at revision 0.

        Args:
            model: First content, with a ``session`` that tells this model from others.
            limits: Most items to keep of a list; None keeps all.
        """
        self._model: Model = {"kind": "snapshot", **model, "revision": 0}
        self._limits = limits
        self._recent: deque[Delta] = deque(maxlen=REMEMBERED_DELTAS)
        self._waiting: set[asyncio.Event] = set()
        self._encoded: dict[int | None, bytes] = {}
        self._was_read = False
        self.pending = Delta(base=0, revision=1)

    @property
    def revision(self) -> int:
        """Number of the last published step."""
        return int(self._model["revision"])

    @property
    def session(self) -> str:
        """Name of this run; revisions of another one mean nothing here."""
        return str(self._model["session"])

    def newest(self, key: str) -> Any:
        """Return a value as the next publishing will show it; of lists without what is added."""
        return self.pending.replace.get(key, self._model[key])

    def length(self, key: str) -> int:
        """Return the length of a list without what waits to be added."""
        return len(self.newest(key))

    def take_read(self) -> bool:
        """Return whether somebody has read since the last call, or waits for news now."""
        was_read, self._was_read = self._was_read, False
        return was_read or bool(self._waiting)

    def publish(self) -> int:
        """Make the pending changes visible and wake the readers; return the revision.

        Without changes nothing happens.
        """
        if not self.pending:
            return self.revision
        delta = self.pending
        apply_changes(self._model, delta)
        delta.trim = self._excess()
        apply_trims(self._model, delta)
        self._model["revision"] = delta.revision
        self._recent.append(delta)
        self._encoded.clear()
        self.pending = Delta(base=delta.revision, revision=delta.revision + 1)
        for event in self._waiting:
            event.set()
        return self.revision

    async def wait_beyond(self, revision: int) -> None:
        """Return once something after ``revision`` is published."""
        while self.revision <= revision:
            event = asyncio.Event()
            self._waiting.add(event)
            try:
                await event.wait()
            finally:
                self._waiting.discard(event)

    def snapshot(self) -> Model:
        """Return the whole model as of now; later changes do not reach it."""
        copied: Model = {}
        for key, value in self._model.items():
            if key in STUDY_KEYS:
                copied[key] = [copy_study(study) for study in value]
            else:
                copied[key] = list(value) if isinstance(value, list) else value
        return copied

    def message_since(self, revision: int | None, session: str | None) -> bytes:
        """Return the JSON message that brings a reader up to date.

        Args:
            revision: What the reader has; None is nothing.
            session: The run that the reader's revision belongs to.
        """
        self._was_read = True
        base = revision if session == self.session and self._reaches(revision) else None
        if base not in self._encoded:
            self._encoded[base] = orjson.dumps(self._message(base))
        return self._encoded[base]

    def _reaches(self, revision: int | None) -> bool:
        if revision is None or not 0 <= revision <= self.revision:
            return False
        return revision == self.revision or self._recent[0].base <= revision

    def _message(self, base: int | None) -> dict[str, Any]:
        if base is None:
            return self._model
        if base == self.revision:
            return {"kind": "unchanged", "revision": base, "unchanged": True}
        return merge_deltas(d for d in self._recent if d.base >= base).as_message()

    def _excess(self) -> dict[str, int]:
        """Return what to trim: past its limit a list loses a tenth at once, so that it is rare."""
        trims = {}
        for key, limit in self._limits.items():
            if limit is not None and len(self._model[key]) > limit:
                trims[key] = len(self._model[key]) - (limit - limit // 10)
        if "candles" in trims:
            trims.update((key, trims["candles"]) for key in STUDY_KEYS)
        return trims
