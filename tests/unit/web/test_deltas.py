"""Applying what changed to what was there gives what is there."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.charts import ChartPlayer, random_candles

from milobot.web.deltas import Delta, apply_delta, merge_deltas
from milobot.web.revisions import REMEMBERED_DELTAS
from milobot.web.state import Limits


def _delta(message: dict[str, Any]) -> Delta:
    return Delta(**{key: value for key, value in message.items() if key != "kind"})


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    reader_at=st.integers(0, 12),
    limit=st.sampled_from([30, 100, None]),
)
def test_changes_since_any_revision_lead_to_the_present(
    steps: list[int], reader_at: int, limit: int | None
) -> None:
    """A reader that missed some messages must see exactly what a new reader sees."""
    player = ChartPlayer(
        random_candles(720, seed=3), limits=Limits(candles=limit, marks=limit and 7, log=5)
    )
    revisions = player.state.revisions
    kept = player.state.snapshot()
    for turn, count in enumerate(steps):
        if turn == reader_at:
            kept = player.state.snapshot()
        player.play(count)

    message = orjson.loads(revisions.message_since(kept["revision"], kept["session"]))
    if message["kind"] == "delta":
        apply_delta(kept, _delta(message))

    assert kept == player.state.snapshot()


def test_each_single_delta_leads_to_the_next_snapshot() -> None:
    """A reader that follows every message must never drift, past many trims too."""
    player = ChartPlayer(random_candles(400), limits=Limits(candles=50, marks=4, log=3))
    model = player.state.snapshot()

    for _ in range(40):
        player.play(9)
        revisions = player.state.revisions
        message = orjson.loads(revisions.message_since(model["revision"], model["session"]))
        apply_delta(model, _delta(message))
        assert model == player.state.snapshot()

    assert len(model["candles"]) <= 50
    for study in (*model["overlays"], *model["panes"]):
        assert {len(line["values"]) for line in study["lines"]} == {len(model["candles"])}


def test_redefined_studies_survive_a_trim_in_a_merged_delta() -> None:
    """A replacement made after a trim is already trimmed: trimming it again would shift it."""
    study = {"id": "x", "lines": [{"values": [3, 4]}]}
    first = Delta(base=0, revision=1, trim={"candles": 2, "overlays": 2})
    second = Delta(base=1, revision=2, replace={"overlays": [study]})
    model = {"revision": 0, "candles": [1, 2, 3, 4], "overlays": [], "panes": []}

    apply_delta(model, merge_deltas([first, second]))

    assert model["overlays"] == [study]
    assert model["candles"] == [3, 4]


def test_a_reader_too_far_behind_gets_everything() -> None:
    """Changes are not kept for ever; a laptop that slept must still catch up."""
    player = ChartPlayer(random_candles(REMEMBERED_DELTAS + 60))
    player.play(1)
    session = player.state.snapshot()["session"]

    for _ in range(REMEMBERED_DELTAS + 50):
        player.play(1)

    message = orjson.loads(player.state.revisions.message_since(1, session))
    assert message["kind"] == "snapshot"
    assert len(message["candles"]) == REMEMBERED_DELTAS + 51


def test_revisions_of_another_run_mean_nothing() -> None:
    """After a restart on the same port an open page must not mix two runs."""
    player = ChartPlayer(random_candles(10))
    player.play(5)
    revisions = player.state.revisions

    for session in ("another", None):
        assert orjson.loads(revisions.message_since(1, session))["kind"] == "snapshot"
    beyond = orjson.loads(revisions.message_since(99, revisions.session))
    assert beyond["kind"] == "snapshot"
    same = orjson.loads(revisions.message_since(1, revisions.session))
    assert same == {"kind": "unchanged", "revision": 1, "unchanged": True}
