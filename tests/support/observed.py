"""The endpoints of a run, asked as those ask them who look after it."""

import json
import socket
import time
import urllib.error
import urllib.request
from contextlib import closing

from tests.support.live_runs import Bot, until

TOKEN = "planted-token-0123456789"  # noqa: S105 - made up


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


class Asked:
    """The endpoints of a run."""

    def __init__(self, running: Bot, metrics_port: int) -> None:
        """Find out where they are."""
        self._page = (
            running.said.partition("chart: ")[2].split()[0].replace("localhost", "127.0.0.1")
        )
        self._metrics = f"http://127.0.0.1:{metrics_port}"
        self.seen: list[str] = []

    def get(self, path: str, *, token: bool = False) -> tuple[int, str]:
        """Return status and text of an answer of the page's port."""
        return self._get(f"{self._page}{path}", token=token)

    def metrics(self) -> str:
        """Return what the port for metrics alone answers."""
        return self._get(f"{self._metrics}/metrics", token=False)[1]

    def missing(self) -> list[str]:
        """Return what /ready misses."""
        found: list[str] = json.loads(self.get("/ready")[1])["missing"]
        return found

    def turns(self, *, ready: bool) -> float:
        """Return the seconds until /ready answers so."""
        began, status = time.monotonic(), 200 if ready else 503
        until(lambda: self.get("/ready")[0] == status, f"ready {ready}")
        return time.monotonic() - began

    def _get(self, url: str, *, token: bool) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {TOKEN}"} if token else {}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http on loopback
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.read().decode()
        self.seen.append(text)
        return status, text
