"""Whatever happens to a file, the answer is right candles or one sentence."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milobot.domain.market import CandleSeries
from milobot.errors import DataError
from milobot.marketdata.files import load_candles
from milobot.marketdata.generated import generate_candles
from milobot.marketdata.writers import save_candles

PIECES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from(
        [b"", b",", b"\n", b"\r", b"-", b"0", b"nan", b"e5", b"\xef\xbb\xbf", b'"', b"\0"]
    ),
)


def _content(form: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"good.{form}"
        save_candles(path, generate_candles(minutes=20))
        return path.read_bytes()


@pytest.mark.parametrize("form", ["csv", "csv.gz", "zip", "parquet"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_file_gives_candles_or_one_sentence(form: str, data: st.DataObject) -> None:
    """Broken downloads and hand-edited files end in a sentence, never in a traceback."""
    content = CONTENTS[form]
    start = data.draw(st.integers(0, len(content)))
    stop = start + data.draw(st.integers(0, 40))
    damaged = content[:start] + data.draw(PIECES) + content[stop:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"damaged.{form}"
        path.write_bytes(damaged)
        answer = _candles_or_sentence(path)
    if isinstance(answer, str):
        assert answer.startswith("damaged.")
        assert "\n" not in answer
        return

    assert (np.diff(answer.time) > 0).all()
    assert (answer.low > 0).all()
    assert (answer.low <= np.minimum(answer.open, answer.close)).all()
    assert (answer.high >= np.maximum(answer.open, answer.close)).all()


def _candles_or_sentence(path: Path) -> CandleSeries | str:
    try:
        return load_candles(path).candles
    except DataError as error:
        return str(error)


CONTENTS = {form: _content(form) for form in ("csv", "csv.gz", "zip", "parquet")}
