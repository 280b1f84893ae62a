"""Runs a payload without the language: what a script sees, plus all of Python."""

import ast
import builtins
import importlib
from collections.abc import Callable, Coroutine

from tests.support.escapes.corpus import escapes, modules_of
from tests.support.waves import wave

from milobot.domain.market import COLUMNS
from milobot.domain.timeframes import Timeframe
from milobot.scripting.compiler import DYNAMIC, Site
from milobot.scripting.host import Host
from milobot.scripting.memory import Memory
from milobot.scripting.vocabulary import HOST_FUNCTIONS, HostFunction

LENGTH = 200
_MOST = 20_000


def load_all_modules() -> None:
    """Import whatever a payload imports: after the lock nothing can be loaded."""
    for name in modules_of(escapes()):
        importlib.import_module(name)
    for name in ("numpy.ctypeslib", "talib.abstract", "numpy.lib.npyio", "encodings.idna"):
        importlib.import_module(name)


def run(code: str) -> str:
    """Return what a payload has in ``loot``, or how it failed."""
    names = _names()
    try:
        compiled = compile(code, "<intruder>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        outcome = eval(compiled, names)  # noqa: S307 - what this module is for
        if isinstance(outcome, Coroutine):
            outcome.send(None)
    except StopIteration:
        pass
    except BaseException as error:  # noqa: BLE001 - whatever it was is the answer
        return f"raised {type(error).__name__}: {error}"[:_MOST]
    return repr(names.get("loot"))[:_MOST]


def _names() -> dict[str, object]:
    candles = wave(LENGTH)
    columns = {name: getattr(candles, name) for name in COLUMNS}
    host = Host(columns, Timeframe.H1, 5000, {"minQty": 1.0}, Memory(Timeframe.H1))
    host.open_stretch(LENGTH - 1, LENGTH)
    host.frame.move(LENGTH)
    functions = {name: _function(host, function) for name, function in HOST_FUNCTIONS.items()}
    lastclose = float(candles.close[-1])
    space = {"__builtins__": builtins, "__name__": "__main__"}
    return {**space, **functions, "data": host.data, "lastclose": lastclose}


def _function(host: Host, function: HostFunction) -> Callable[..., object]:
    async def call(*values: object, **named: object) -> object:
        given = dict(zip(function.arguments, values, strict=False)) | named
        arguments = {**dict(function.settings), **given}
        site = Site("site", function, (DYNAMIC,) * len(arguments), 1, 1)
        return host.answer(site)(*(arguments[name] for name in function.arguments))

    return call
