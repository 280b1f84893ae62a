"""What the paper exchange has missed: rules, candles while it was away, fundings."""

from milobot.app.exchanges import ExchangeClient
from milobot.app.paper_control import PaperControl
from milobot.domain.timeframes import DAY_MS, MINUTE_MS, Timeframe
from milobot.errors import DataError, ExchangeError
from milobot.exchanges.names import unknown_symbol
from milobot.exchanges.times import Sleep
from milobot.telemetry import get_logger

_CANDLES_A_CALL = 1_000
_MOST_AWAY_MS = 30 * DAY_MS
_FUNDINGS_EVERY_S = 300.0


class CatchUp:
    """Brings the paper exchange up to now, symbol by symbol."""

    def __init__(self, client: ExchangeClient, control: PaperControl, *, gap_ms: int) -> None:
        """Prepare.

        Args:
            client: Of the real exchange.
            control: Of the paper exchange.
            gap_ms: Shorter times without a price need no candles.
        """
        self._client, self._control, self._gap_ms = client, control, gap_ms
        self._listed: set[str] = set()

    async def learn_rules(self, symbol: str) -> None:
        """See to it that the paper exchange lists a symbol, such as one that is new.

        Raises:
            DataError: It is not traded at the real exchange.
            ExchangeError: That does not tell.
        """
        if symbol in self._listed:
            return
        rules = await self._client.market.fetch_all_rules()
        if symbol not in rules:
            raise unknown_symbol(symbol, "the exchange", rules)
        await self._control.list_contracts(rules.values())
        self._listed |= rules.keys()

    async def play_missed(self, symbol: str) -> None:
        """Play the candles since a symbol's last price, where something is open or rests.

        Raises:
            ExchangeError: They cannot be had; what was played stays played.
        """
        known = (await self._control.followed()).get(symbol)
        now_ms = self._client.clock.now_ms()
        if known is None or not known.is_busy or now_ms - known.told_ms <= self._gap_ms:
            return
        first_ms = Timeframe.M1.open_of(max(known.told_ms, now_ms - _MOST_AWAY_MS))
        away_min = (now_ms - known.told_ms) // MINUTE_MS
        get_logger().info("paper_catches_up", symbol=symbol, minutes=away_min)
        while first_ms + MINUTE_MS <= now_ms:
            candles = await self._client.market.fetch_candles(
                symbol, Timeframe.M1, first_ms=first_ms, limit=_CANDLES_A_CALL
            )
            if len(candles):
                await self._control.replay(symbol, candles)
                first_ms = int(candles.time[-1]) + MINUTE_MS
            else:
                first_ms += _CANDLES_A_CALL * MINUTE_MS

    async def charge_fundings(self, sleep: Sleep) -> None:
        """Charge what has been paid at the real exchange, now and then, until cancelled."""
        while True:
            try:
                await self._charge()
            except (ExchangeError, DataError) as error:
                get_logger().info("paper_funding_unknown", reason=str(error))
            await sleep(_FUNDINGS_EVERY_S)

    async def _charge(self) -> None:
        now_ms = self._client.clock.now_ms()
        for one in (await self._control.followed()).values():
            if not one.is_busy:
                continue
            rates = await self._client.market.fetch_funding_rates(
                one.symbol, first_ms=one.funded_ms + 1, last_ms=now_ms
            )
            for paid in rates:
                await self._control.charge(paid)
