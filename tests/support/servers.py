"""A database server that tests may use; ``tests.support.postgres`` starts one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``url`` leads to its database ``postgres``."""

    url: str

    def url_of(self, database: str) -> str:
        """Return the URL of another database of the server."""
        return f"{self.url.rpartition('/')[0]}/{database}"
