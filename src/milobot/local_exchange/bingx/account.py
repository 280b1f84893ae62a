"""Account endpoints of the BingX dialect."""

from milobot.domain.money import ZERO, format_decimal
from milobot.local_exchange import params as read
from milobot.local_exchange.bingx import shapes
from milobot.local_exchange.bingx.errors import error
from milobot.local_exchange.bingx.shapes import four, symbol_name, symbol_of
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.placing import set_leverage, set_margin_mode
from milobot.local_exchange.core.playing import close_by_hand
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.wire import Call, Endpoint, Json, Security

_READ, _TRADE, _WITHDRAW = 2, 3, 5


class AccountData:
    """Answers and changes what belongs to an account."""

    def __init__(self, venue: Venue) -> None:
        """Keep the venue."""
        self._venue = venue

    def endpoints(self) -> list[Endpoint]:
        """Return the account endpoints."""

        def at(method: str, path: str, call: str, handler: str) -> Endpoint:
            return Endpoint(
                method, f"/openApi/{path}", call, getattr(self, handler), Security.SIGNED
            )

        return [
            at("GET", "swap/v3/user/balance", "account", "balances"),
            at("GET", "swap/v2/user/balance", "account", "balance"),
            at("GET", "swap/v2/user/positions", "positions", "positions"),
            at("GET", "swap/v2/user/income", "income", "income"),
            at("GET", "swap/v2/user/commissionRate", "settings", "commission"),
            at("GET", "swap/v2/trade/leverage", "settings", "leverage"),
            at("POST", "swap/v2/trade/leverage", "set_leverage", "set_leverage"),
            at("GET", "swap/v2/trade/marginType", "settings", "margin_mode"),
            at("POST", "swap/v2/trade/marginType", "set_margin", "set_margin_mode"),
            at("GET", "swap/v1/positionSide/dual", "settings", "position_mode"),
            at("POST", "swap/v1/positionSide/dual", "set_mode", "set_position_mode"),
            at("GET", "swap/v1/maintMarginRatio", "settings", "brackets"),
            at("GET", "swap/v1/trade/assetMode", "settings", "asset_mode"),
            at("POST", "swap/v2/trade/closeAllPositions", "place_close", "close_all"),
            at("GET", "v1/account/apiPermissions", "settings", "permissions"),
            at("GET", "v1/account/apiRestrictions", "settings", "restrictions"),
        ]

    def balances(self, call: Call) -> Json:
        """Answer the wallet, by asset."""
        return [self._balance(call.seen)]

    def balance(self, call: Call) -> Json:
        """Answer the wallet in the older form."""
        return {"balance": self._balance(call.seen)}

    def positions(self, call: Call) -> Json:
        """Answer the open positions."""
        name = call.params.get("symbol")
        wanted = self._venue.tape(symbol_of(name)).symbol if name else None
        return [
            shapes.position(
                call.seen, self._venue.contract(symbol), book, self._venue.tape(symbol).last_price
            )
            for symbol, book in call.seen.books.items()
            if not book.position.is_flat and wanted in {None, symbol}
        ]

    def income(self, call: Call) -> Json:
        """Answer bookings, oldest first."""
        name = call.params.get("symbol")
        symbol = symbol_of(name) if name else None
        kind = {"TRADING_FEE": "COMMISSION"}.get(
            call.params.get("incomeType", ""), call.params.get("incomeType")
        )
        first = read.integer(call.params, "startTime") or 0
        last = read.integer(call.params, "endTime")
        return [
            {
                "symbol": symbol_name(item.symbol),
                "incomeType": "TRADING_FEE" if item.kind == "COMMISSION" else item.kind,
                "income": four(item.amount),
                "asset": shapes.QUOTE,
                "info": item.kind.replace("_", " ").title(),
                "time": item.time_ms,
                "tranId": str(item.id),
                "tradeId": str(item.trade_id or item.id),
            }
            for item in call.seen.incomes
            if symbol in {None, item.symbol}
            and (not kind or item.kind == kind)
            and item.time_ms >= first
            and (last is None or item.time_ms <= last)
        ][: read.limit(call.params, 100, 1000)]

    def commission(self, call: Call) -> Json:
        """Answer the fees."""
        terms = self._venue.terms
        rates = {
            "takerCommissionRate": float(terms.taker_fee),
            "makerCommissionRate": float(terms.maker_fee),
        }
        return {"commission": rates}

    def leverage(self, call: Call) -> Json:
        """Answer the leverage of a symbol."""
        symbol = self._symbol(call)
        leverage, most = call.seen.leverage(symbol), self._venue.contract(symbol).max_leverage
        return {
            "longLeverage": leverage,
            "shortLeverage": leverage,
            "maxLongLeverage": most,
            "maxShortLeverage": most,
            "availableLongVol": "0.0000",
            "availableShortVol": "0.0000",
        }

    def set_leverage(self, call: Call) -> Json:
        """Set the leverage of a symbol."""
        symbol, leverage = self._symbol(call), read.integer(call.params, "leverage")
        if leverage is None:
            raise read.malformed("leverage")
        if read.required(call.params, "side").upper() not in {"BOTH", "LONG", "SHORT"}:
            raise error(109400, "Invalid parameters, err:side")
        set_leverage(self._venue, call.owner, symbol, leverage)
        return {"leverage": leverage, "symbol": symbol_name(symbol)}

    def margin_mode(self, call: Call) -> Json:
        """Answer the margin mode of a symbol."""
        return {"marginType": call.seen.margin_mode(self._symbol(call))}

    def set_margin_mode(self, call: Call) -> Json:
        """Set the margin mode of a symbol."""
        mode = read.required(call.params, "marginType").upper()
        if mode not in {"ISOLATED", "CROSSED"}:
            raise error(109400, "Invalid parameters, err:marginType")
        symbol = self._symbol(call)
        if call.owner.margin_mode(symbol) != mode:
            set_margin_mode(self._venue, call.owner, symbol, mode)
        return {}

    def position_mode(self, call: Call) -> Json:
        """Answer whether the account is in hedge mode."""
        return {"dualSidePosition": str(call.owner.is_hedged).lower()}

    def set_position_mode(self, call: Call) -> Json:
        """Choose between one-way and hedge mode."""
        read.required(call.params, "dualSidePosition")
        wanted = read.flag(call.params, "dualSidePosition")
        if wanted != call.owner.is_hedged:
            if any(not book.position.is_flat for book in call.owner.books.values()):
                raise error(80012, "The position mode cannot be changed with an open position")
            call.owner.is_hedged = wanted
        return {"dualSidePosition": str(wanted).lower()}

    def brackets(self, call: Call) -> Json:
        """Answer the brackets; this exchange tells no leverage with them."""
        symbol = self._symbol(call)
        return [
            {
                "tier": f"Tier {number}",
                "symbol": symbol_name(symbol),
                "minPositionVal": format_decimal(bracket.notional_floor),
                "maxPositionVal": format_decimal(bracket.notional_cap),
                "maintMarginRatio": f"{bracket.maintenance_margin_rate:.6f}",
                "maintAmount": f"{bracket.maintenance_amount:.6f}",
            }
            for number, bracket in enumerate(self._venue.contract(symbol).rules.brackets, 1)
        ]

    def asset_mode(self, call: Call) -> Json:
        """Answer that only the margin asset of a contract counts."""
        return {"assetMode": "singleAssetMode"}

    def close_all(self, call: Call) -> Json:
        """Close every position at the market."""
        done = []
        for symbol, book in list(call.owner.books.items()):
            if not book.position.is_flat:
                done.append(close_by_hand(self._venue, call.owner, symbol).id)
        return {"success": done, "failed": None}

    def permissions(self, call: Call) -> Json:
        """Answer what the key may do, by number."""
        rights = call.owner.rights
        numbers = [_READ]
        numbers += [_TRADE] if rights.can_trade else []
        numbers += [_WITHDRAW] if rights.can_withdraw else []
        return {
            "apiKey": call.owner.key,
            "note": "local",
            "permissions": numbers,
            "ipAddresses": [],
        }

    def restrictions(self, call: Call) -> Json:
        """Answer what the key may do, by name."""
        rights = call.owner.rights
        return {
            "ipRestrict": False,
            "createTime": 0,
            "enableReading": True,
            "enableFutures": rights.can_trade,
            "enableWithdrawals": rights.can_withdraw,
            "permitsUniversalTransfer": False,
            "enableSpotAndMarginTrading": False,
        }

    def _symbol(self, call: Call) -> str:
        return self._venue.contract(symbol_of(read.required(call.params, "symbol"))).symbol

    def _balance(self, account: Account) -> Json:
        gains = sum(
            (
                account.unrealized_pnl(symbol, self._venue.tape(symbol).last_price)
                for symbol in account.books
            ),
            ZERO,
        )
        realized = sum((i.amount for i in account.incomes if i.kind == "REALIZED_PNL"), ZERO)
        return {
            "userId": shapes.USER_ID,
            "asset": shapes.QUOTE,
            "balance": four(account.wallet),
            "equity": four(account.wallet + gains),
            "unrealizedProfit": four(gains),
            "realisedProfit": four(realized),
            "availableMargin": four(account.available),
            "usedMargin": four(account.position_margin),
            "freezedMargin": four(account.order_margin),
            "shortUid": shapes.SHORT_ID,
        }
