"""Account endpoints of the Binance dialect."""

from decimal import Decimal

from milobot.domain.money import ZERO, format_decimal
from milobot.local_exchange import params as read
from milobot.local_exchange.binance import shapes
from milobot.local_exchange.binance.errors import error
from milobot.local_exchange.binance.shapes import money
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.market import Tape
from milobot.local_exchange.core.placing import set_leverage, set_margin_mode
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.wire import Call, Endpoint, Json, Security

_SUCCESS = {"code": 200, "msg": "success"}
_ASSET = "USDT"


class AccountData:
    """Answers and changes what belongs to an account."""

    def __init__(self, venue: Venue) -> None:
        """Keep the venue."""
        self._venue = venue

    def endpoints(self) -> list[Endpoint]:
        """Return the account endpoints."""

        def at(method: str, path: str, call: str, handler: str, weight: int = 1) -> Endpoint:
            return Endpoint(method, path, call, getattr(self, handler), Security.SIGNED, weight)

        return [
            at("GET", "/fapi/v2/account", "account", "account", 5),
            at("GET", "/fapi/v3/account", "account", "account", 5),
            at("GET", "/fapi/v2/balance", "account", "balance", 5),
            at("GET", "/fapi/v3/balance", "account", "balance", 5),
            at("GET", "/fapi/v2/positionRisk", "positions", "positions", 5),
            at("GET", "/fapi/v3/positionRisk", "positions", "open_positions", 5),
            at("GET", "/fapi/v1/leverageBracket", "settings", "brackets"),
            at("GET", "/fapi/v1/positionSide/dual", "settings", "position_mode", 30),
            at("POST", "/fapi/v1/positionSide/dual", "set_mode", "set_position_mode"),
            at("GET", "/fapi/v1/multiAssetsMargin", "settings", "multi_assets", 30),
            at("POST", "/fapi/v1/leverage", "set_leverage", "set_leverage"),
            at("POST", "/fapi/v1/marginType", "set_margin", "set_margin_mode"),
            at("GET", "/fapi/v1/symbolConfig", "settings", "symbol_config", 5),
            at("GET", "/fapi/v1/accountConfig", "settings", "account_config", 5),
            at("GET", "/fapi/v1/commissionRate", "settings", "commission", 20),
            at("GET", "/fapi/v1/income", "income", "income", 30),
            at("GET", "/sapi/v1/account/apiRestrictions", "settings", "restrictions"),
        ]

    def balance(self, call: Call) -> Json:
        """Answer the wallet."""
        seen = call.seen
        return [
            {
                "accountAlias": "LoCaL",
                "asset": _ASSET,
                "balance": money(seen.wallet),
                "crossWalletBalance": money(seen.wallet - seen.position_margin),
                "crossUnPnl": money(ZERO),
                "availableBalance": money(seen.available),
                "maxWithdrawAmount": money(seen.available),
                "marginAvailable": True,
                "updateTime": self._updated_ms(seen),
            }
        ]

    def account(self, call: Call) -> Json:
        """Answer wallet, sums and positions."""
        seen = call.seen
        gains = sum((self._gain(seen, tape) for tape in self._tapes()), ZERO)
        sums = self._sums(seen, gains)
        asset = {
            "asset": _ASSET,
            "walletBalance": money(seen.wallet),
            "unrealizedProfit": money(gains),
            "marginBalance": money(seen.wallet + gains),
            "maintMargin": sums["totalMaintMargin"],
            "initialMargin": sums["totalInitialMargin"],
            "positionInitialMargin": money(seen.position_margin),
            "openOrderInitialMargin": money(seen.order_margin),
            "crossWalletBalance": money(seen.wallet - seen.position_margin),
            "crossUnPnl": money(ZERO),
            "availableBalance": money(seen.available),
            "maxWithdrawAmount": money(seen.available),
            "marginAvailable": True,
            "updateTime": self._updated_ms(seen),
        }
        return {
            "feeTier": 0,
            "canTrade": seen.rights.can_trade,
            "canDeposit": True,
            "canWithdraw": seen.rights.can_withdraw,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
            **sums,
            "assets": [asset],
            "positions": [self._account_position(seen, tape) for tape in self._tapes()],
        }

    def positions(self, call: Call) -> Json:
        """Answer every symbol's position, flat ones too."""
        wanted = call.params.get("symbol")
        tapes = [self._venue.tape(wanted)] if wanted else self._tapes()
        return [self._risk(call.seen, tape) for tape in tapes]

    def open_positions(self, call: Call) -> Json:
        """Answer the positions that are open or have orders."""
        seen, wanted = call.seen, call.params.get("symbol")
        busy = {s for s, book in seen.books.items() if not book.position.is_flat}
        busy |= {order.ticket.symbol for order in seen.open_orders}
        if wanted:
            busy &= {self._venue.tape(wanted).symbol}
        return [self._risk(seen, self._venue.tape(symbol)) for symbol in sorted(busy)]

    def brackets(self, call: Call) -> Json:
        """Answer the leverage brackets."""
        wanted = call.params.get("symbol")
        all_of_them = list(self._venue.contracts.values())
        contracts = [self._venue.contract(wanted)] if wanted else all_of_them
        return [
            {
                "symbol": contract.symbol,
                "notionalCoef": 1.5,
                "brackets": [
                    {
                        "bracket": number,
                        "initialLeverage": bracket.max_leverage,
                        "notionalCap": int(bracket.notional_cap),
                        "notionalFloor": int(bracket.notional_floor),
                        "maintMarginRatio": float(bracket.maintenance_margin_rate),
                        "cum": float(bracket.maintenance_amount),
                    }
                    for number, bracket in enumerate(contract.rules.brackets, 1)
                ],
            }
            for contract in contracts
        ]

    def position_mode(self, call: Call) -> Json:
        """Answer whether the account is in hedge mode."""
        return {"dualSidePosition": call.owner.is_hedged}

    def set_position_mode(self, call: Call) -> Json:
        """Choose between one-way and hedge mode."""
        read.required(call.params, "dualSidePosition")
        wanted = read.flag(call.params, "dualSidePosition")
        if wanted == call.owner.is_hedged:
            raise error(-4059)
        if any(not book.position.is_flat for book in call.owner.books.values()):
            raise error(-4068, "Position side cannot be changed if there exists position.")
        call.owner.is_hedged = wanted
        return _SUCCESS

    def multi_assets(self, call: Call) -> Json:
        """Answer that only the margin asset of a contract counts."""
        return {"multiAssetsMargin": False}

    def set_leverage(self, call: Call) -> Json:
        """Set the leverage of a symbol."""
        tape = self._venue.tape(read.required(call.params, "symbol"))
        leverage = read.integer(call.params, "leverage")
        if leverage is None:
            raise read.malformed("leverage")
        if not 1 <= leverage <= self._venue.contract(tape.symbol).max_leverage:
            raise error(-4028, f"Leverage {leverage} is not valid")
        set_leverage(self._venue, call.owner, tape.symbol, leverage)
        return {
            "symbol": tape.symbol,
            "leverage": leverage,
            "maxNotionalValue": format_decimal(self._most_notional(tape, leverage)),
        }

    def set_margin_mode(self, call: Call) -> Json:
        """Set the margin mode of a symbol."""
        symbol = read.required(call.params, "symbol")
        mode = read.required(call.params, "marginType").upper()
        if mode not in {"ISOLATED", "CROSSED"}:
            raise read.malformed("marginType")
        set_margin_mode(self._venue, call.owner, symbol, mode)
        return _SUCCESS

    def symbol_config(self, call: Call) -> Json:
        """Answer leverage and margin mode by symbol."""
        wanted = call.params.get("symbol")
        tapes = [self._venue.tape(wanted)] if wanted else self._tapes()
        return [
            {
                "symbol": tape.symbol,
                "marginType": call.seen.margin_mode(tape.symbol),
                "isAutoAddMargin": "false",
                "leverage": call.seen.leverage(tape.symbol),
                "maxNotionalValue": format_decimal(
                    self._most_notional(tape, call.seen.leverage(tape.symbol))
                ),
            }
            for tape in tapes
        ]

    def account_config(self, call: Call) -> Json:
        """Answer the account's settings."""
        return {
            "feeTier": 0,
            "canTrade": call.owner.rights.can_trade,
            "canDeposit": True,
            "canWithdraw": call.owner.rights.can_withdraw,
            "dualSidePosition": call.owner.is_hedged,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    def commission(self, call: Call) -> Json:
        """Answer the fees of a symbol."""
        contract = self._venue.contract(read.required(call.params, "symbol"))
        terms = self._venue.terms
        return {
            "symbol": contract.symbol,
            "makerCommissionRate": format_decimal(terms.maker_fee),
            "takerCommissionRate": format_decimal(terms.taker_fee),
        }

    def income(self, call: Call) -> Json:
        """Answer bookings, oldest first."""
        symbol, kind = call.params.get("symbol"), call.params.get("incomeType")
        first = read.integer(call.params, "startTime") or 0
        last = read.integer(call.params, "endTime")
        found = [
            item
            for item in call.seen.incomes
            if (not symbol or item.symbol == symbol)
            and (not kind or item.kind == kind)
            and item.time_ms >= first
            and (last is None or item.time_ms <= last)
        ]
        return [shapes.income(i, _ASSET) for i in found[: read.limit(call.params, 100, 1000)]]

    def restrictions(self, call: Call) -> Json:
        """Answer what the key may do."""
        rights = call.owner.rights
        return {
            "ipRestrict": False,
            "createTime": 0,
            "enableReading": True,
            "enableFutures": rights.can_trade,
            "enableWithdrawals": rights.can_withdraw,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableSpotAndMarginTrading": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enablePortfolioMarginTrading": False,
        }

    def _tapes(self) -> list[Tape]:
        return list(self._venue.market.tapes.values())

    def _most_notional(self, tape: Tape, leverage: int) -> Decimal:
        fitting = [
            b
            for b in self._venue.contract(tape.symbol).rules.brackets
            if b.max_leverage >= leverage
        ]
        return fitting[-1].notional_cap

    @staticmethod
    def _updated_ms(account: Account) -> int:
        return max([account.opened_ms, *account.updated_ms.values()])

    @staticmethod
    def _gain(account: Account, tape: Tape) -> Decimal:
        return account.unrealized_pnl(tape.symbol, tape.last_price)

    def _risk(self, account: Account, tape: Tape) -> Json:
        contract, book = self._venue.contract(tape.symbol), self._venue.book(account, tape.symbol)
        return shapes.position_risk(account, contract, book, tape.last_price)

    def _sums(self, account: Account, gains: Decimal) -> dict[str, str]:
        needed = sum(
            (Decimal(self._risk(account, tape)["maintMargin"]) for tape in self._tapes()), ZERO
        )
        tied = account.position_margin + account.order_margin
        return {
            "totalInitialMargin": money(tied),
            "totalMaintMargin": money(needed),
            "totalWalletBalance": money(account.wallet),
            "totalUnrealizedProfit": money(gains),
            "totalMarginBalance": money(account.wallet + gains),
            "totalPositionInitialMargin": money(account.position_margin),
            "totalOpenOrderInitialMargin": money(account.order_margin),
            "totalCrossWalletBalance": money(account.wallet - account.position_margin),
            "totalCrossUnPnl": money(ZERO),
            "availableBalance": money(account.available),
            "maxWithdrawAmount": money(account.available),
        }

    def _account_position(self, account: Account, tape: Tape) -> Json:
        risk = self._risk(account, tape)
        return {
            "symbol": tape.symbol,
            "initialMargin": risk["initialMargin"],
            "maintMargin": risk["maintMargin"],
            "unrealizedProfit": risk["unRealizedProfit"],
            "positionInitialMargin": risk["positionInitialMargin"],
            "openOrderInitialMargin": "0",
            "leverage": risk["leverage"],
            "isolated": account.margin_mode(tape.symbol) == "ISOLATED",
            "entryPrice": risk["entryPrice"],
            "breakEvenPrice": risk["breakEvenPrice"],
            "maxNotional": risk["maxNotionalValue"],
            "bidNotional": "0",
            "askNotional": "0",
            "positionSide": "BOTH",
            "positionAmt": risk["positionAmt"],
            "isolatedMargin": risk["isolatedMargin"],
            "notional": risk["notional"],
            "isolatedWallet": risk["isolatedWallet"],
            "updateTime": risk["updateTime"],
        }
