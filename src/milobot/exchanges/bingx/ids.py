"""Which of our ids belongs to which of BingX's: stops take no id of ours."""

from collections.abc import Mapping

_MOST = 5000


class OrderIds:
    """Pairs of ids, as far as they are known; the oldest are forgotten."""

    def __init__(self) -> None:
        """Know none yet."""
        self._exchange: dict[str, str] = {}
        self._client: dict[str, str] = {}

    def bind(self, client_order_id: str, exchange_order_id: str) -> None:
        """Note that two ids mean the same order."""
        if not client_order_id or not exchange_order_id:
            return
        self._exchange[client_order_id] = exchange_order_id
        self._client[exchange_order_id] = client_order_id
        if len(self._exchange) > _MOST:
            self._client.pop(self._exchange.pop(next(iter(self._exchange))), None)

    def bind_all(self, pairs: Mapping[str, str]) -> None:
        """Note pairs of our id and theirs, such as those of a journal."""
        for client_order_id, exchange_order_id in pairs.items():
            self.bind(client_order_id, exchange_order_id)

    def exchange_id(self, client_order_id: str) -> str:
        """Return their id of an order of ours; empty when not known."""
        return self._exchange.get(client_order_id, "")

    def client_id(self, exchange_order_id: str) -> str:
        """Return our id of an order; empty when it is not known to be ours."""
        return self._client.get(exchange_order_id, "")

    def is_free(self, exchange_order_id: str) -> bool:
        """Return whether an order has an id that no order of ours goes by."""
        return bool(exchange_order_id) and exchange_order_id not in self._client
