"""What the doctor looks at on an exchange: reach, clock, symbol, budget, key, account.

The first look decides: an exchange that cannot be reached is not asked anything more.
What comes after it does not need each other and is asked one by one, so that the order
of the answers, and of the budget they use, is always the same.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from milobot.app.doctor import Check, Finding, Verdict, examine
from milobot.app.exchanges import (
    TITLES,
    ExchangeClient,
    describe_hosts,
    open_client,
    refuse_rights,
)
from milobot.domain.reports import MarginMode
from milobot.errors import ExchangeError, MilobotError
from milobot.exchanges.gateway import Timeouts
from milobot.exchanges.names import unknown_symbol
from milobot.settings import Settings
from milobot.storage.api_key import ApiKey

CLOCK_WARN_MS, CLOCK_FAIL_MS = 1000, 5000
TIMEOUTS = Timeouts(query_s=4.0, download_s=10.0)
_BUSY = 0.5
_REACH = "check the network, a proxy, and the exchange's status page; nothing else was asked"
_KEYS = (
    "check key, secret, the addresses it works from and its right to trade futures; a key of"
    " the demo works at the demo only"
)


@dataclass(frozen=True, slots=True)
class Patient:
    """One exchange, how to reach it, and whose account to look at.

    Attributes:
        key: None when there is none.
        account: Whose key it is, such as ``binance:default``.
        keyless: Why there is none, and what to do.
    """

    settings: Settings
    exchange: str
    symbol: str
    key: ApiKey | None
    account: str = ""
    keyless: tuple[str, str] = ("no key is set", "")

    @property
    def title(self) -> str:
        """Return the exchange's name as it is written."""
        return TITLES[self.exchange]


async def examine_exchange(patient: Patient) -> list[Finding]:
    """Look at everything of one exchange."""
    try:
        client = open_client(patient.settings, patient.exchange, patient.key, timeouts=TIMEOUTS)
    except MilobotError as error:
        return [Finding(Verdict.FAIL, f"{patient.title} host", str(error))]
    async with client:
        look = _Look(patient, client)
        reached = await examine(look.check("host", look.at_host, _REACH))
        if reached.verdict is Verdict.FAIL:
            return [reached]
        return [reached, *[await examine(check) for check in look.further_checks()]]


class _Look:
    """Looks at one exchange through one client."""

    def __init__(self, patient: Patient, client: ExchangeClient) -> None:
        self._patient = patient
        self._client = client
        self._account = client.account

    def check(
        self, what: str, look: Callable[[str], Awaitable[Finding]], remedy: str = ""
    ) -> Check:
        """Return a check of one thing at this exchange."""
        subject = f"{self._patient.title} {what}"
        return Check(subject, lambda: look(subject), remedy)

    def further_checks(self) -> list[Check]:
        """Return what can be asked once the exchange is reached."""
        checks = [self.check("clock", self.at_clock), self.check("symbol", self.at_symbol)]
        if self._patient.key is None:
            checks.append(self.check("key", self.at_missing_key))
        else:
            checks += [
                self.check("key", self.at_key, _KEYS),
                self.check("account", self.at_account),
                self.check("position mode", self.at_position_mode),
                self.check("margin mode", self.at_margin_mode),
                self.check("brackets", self.at_brackets),
            ]
        return [*checks, self.check("rate budget", self.at_budget)]

    async def at_host(self, subject: str) -> Finding:
        """Ask for the time: the smallest thing there is to ask for."""
        where = describe_hosts(self._patient.settings, self._patient.exchange)
        try:
            await self._client.market.fetch_server_time()
        except ExchangeError as error:
            return Finding(Verdict.FAIL, subject, f"{where}: {error}", _REACH)
        trip_ms = self._client.clock.uncertainty_ms * 2
        return Finding(Verdict.OK, subject, f"{where} answers in {trip_ms} ms")

    async def at_clock(self, subject: str) -> Finding:
        """Compare the clocks; requests are stamped with the exchange's time in any case."""
        offset_ms = self._client.clock.offset_ms
        if abs(offset_ms) <= CLOCK_WARN_MS:
            return Finding(Verdict.OK, subject, f"{offset_ms} ms apart")
        way = "behind" if offset_ms > 0 else "ahead of"
        fact = (
            f"this machine is {abs(offset_ms) / 1000:.1f} s {way} {self._patient.title};"
            " requests are stamped with the exchange's time, so they are taken all the same"
        )
        step = "set this machine's clock: `timedatectl set-ntp true`, or your host's time service"
        if self._patient.settings.venue(self._patient.exchange).is_local:
            step += "; for a local exchange, start it with --clock wall"
        verdict = Verdict.FAIL if abs(offset_ms) >= CLOCK_FAIL_MS else Verdict.WARN
        return Finding(verdict, subject, fact, step)

    async def at_symbol(self, subject: str) -> Finding:
        """Find out what trades, and whether the symbol asked for does."""
        symbol, known = self._patient.symbol, await self._client.market.fetch_all_rules()
        if symbol not in known:
            raise unknown_symbol(symbol, self._patient.title, known)
        fact = f"{symbol} trades, one of {len(known)} USDT perpetuals"
        return Finding(Verdict.OK, subject, fact)

    async def at_missing_key(self, subject: str) -> Finding:
        """Say that there is no key, and that much works without."""
        fact, step = self._patient.keyless
        step = step or (
            f"fine for paper and downloads; to trade: `milobot keys set --exchange"
            f" {self._patient.exchange}`"
        )
        return Finding(Verdict.WARN, subject, f"{fact}, the account was not looked at", step)

    async def at_key(self, subject: str) -> Finding:
        """Ask what the key may do."""
        rights = await self._account.fetch_key_rights()
        refuse_rights(rights, self._patient.exchange)
        fact = f"{self._patient.account} may trade, not withdraw"
        if rights.can_withdraw is None:
            fact = f"{self._patient.account} may trade; whether it may withdraw is not told here"
        if rights.is_address_bound is False:
            step = f"bind it to this machine's address at {self._patient.title}"
            return Finding(Verdict.WARN, subject, f"{fact}; from every address", step)
        return Finding(Verdict.OK, subject, fact)

    async def at_account(self, subject: str) -> Finding:
        """Look at balance, open positions and resting orders."""
        account = await self._account.fetch_account()
        positions = await self._account.fetch_positions()
        orders = await self._account.fetch_open_orders()
        fact = (
            f"equity {account.equity:.2f} USDT, {account.available:.2f} available,"
            f" {len(positions)} positions, {len(orders)} orders"
        )
        if account.equity <= 0:
            return Finding(Verdict.WARN, subject, fact, "no entry is possible: transfer USDT")
        if positions or orders:
            step = "what milobot did not open it never touches, and opens nothing beside it"
            return Finding(Verdict.WARN, subject, fact, step)
        return Finding(Verdict.OK, subject, fact)

    async def at_position_mode(self, subject: str) -> Finding:
        """Find out whether the account is in hedge mode."""
        if await self._account.fetch_is_hedged():
            return Finding(
                Verdict.FAIL,
                subject,
                "the account is in hedge mode, and milobot trades one-way",
                f"close everything, then choose one-way mode in the settings of {self._patient.title}",
            )
        return Finding(Verdict.OK, subject, "one-way")

    async def at_margin_mode(self, subject: str) -> Finding:
        """Look at leverage and margin mode of the symbol."""
        known = await self._account.fetch_symbol_settings(self._patient.symbol)
        fact = f"{known.symbol}: {known.margin_mode.value.lower()}, {known.leverage}x"
        if known.margin_mode is MarginMode.ISOLATED:
            return Finding(Verdict.OK, subject, fact)
        step = "nothing: milobot sets isolated margin before its first entry, while flat"
        return Finding(Verdict.WARN, subject, fact, step)

    async def at_brackets(self, subject: str) -> Finding:
        """Find out whether the leverage brackets of the symbol can be had."""
        rules = await self._account.fetch_rules(self._patient.symbol)
        if not rules.brackets:
            fact = f"none are told for {rules.symbol}"
            step = "liquidation prices are estimated with 0.4 % until there are"
            return Finding(Verdict.WARN, subject, fact, step)
        most = max(bracket.max_leverage for bracket in rules.brackets)
        return Finding(
            Verdict.OK, subject, f"{len(rules.brackets)} of {rules.symbol}, up to {most}x"
        )

    async def at_budget(self, subject: str) -> Finding:
        """Look at how much of the request budget is used, by whoever shares the address."""
        shares = self._client.limiter.standing()
        name, (used, most) = max(shares.items(), key=lambda item: item[1][0] / item[1][1])
        fact = f"{used} of {most} used of {name}, the fullest"
        if used > most * _BUSY:
            step = "find out what else asks from this address; orders go first in any case"
            return Finding(Verdict.WARN, subject, fact, step)
        return Finding(Verdict.OK, subject, fact)
