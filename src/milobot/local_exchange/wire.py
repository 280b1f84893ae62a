"""What both dialects share on the wire: endpoints, calls, errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.terms import NO_FAULT, PlaceFault

Json = Any
"""What a handler answers: anything that JSON can say."""


class Bare(dict[str, Json]):
    """An answer that goes out without the dialect's envelope."""


class Security(StrEnum):
    """What a request must carry."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


class ApiError(Exception):
    """The exchange answers with an error.

    Attributes:
        status: HTTP status.
        code: The dialect's error code; None where the body is ``text`` alone.
        text: The dialect's message.
        headers: Extra headers, such as Retry-After.
    """

    def __init__(
        self, status: int, code: int | None, text: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep what goes on the wire."""
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.headers = dict(headers or {})


@dataclass(slots=True, eq=False)
class Call:
    """One request, taken apart.

    Attributes:
        signed_text: What the signature must cover.
        params: Parameters of query and body.
        account: Whose key it carried; set by the authentication.
        view: The account as queries may see it; usually the account itself.
        fault: What goes wrong inside the exchange with an order it places.
        may_repeat_id: Whether a client id that was used before is accepted, as a fault.
        order_id: Order that came of it; 0 for none.
        drops_client_id: Whether an order is made without the client id it came with, as a fault.
        hides_ended: Whether orders that ended are not found any more, as a fault.
    """

    method: str
    path: str
    key: str
    signed_text: str
    signature: str
    params: dict[str, str]
    ip: str = ""
    account: Account | None = None
    view: Account | None = None
    fault: PlaceFault = field(default=NO_FAULT)
    may_repeat_id: bool = False
    hides_ended: bool = False
    drops_client_id: bool = False
    order_id: int = 0
    client_id: str = ""

    @property
    def owner(self) -> Account:
        """Return the account that acts."""
        if self.account is None:
            raise LookupError("a public endpoint has no account")
        return self.account

    @property
    def seen(self) -> Account:
        """Return the account as a query sees it."""
        return self.view or self.owner


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path.

    Attributes:
        call: What it is, free of dialect, for fault plans and the ledger.
        weight: What it costs of the request budget.
    """

    method: str
    path: str
    call: str
    handler: Callable[[Call], Json]
    security: Security = Security.NONE
    weight: int = 1


class Dialect(Protocol):
    """One wire dialect: how requests are checked and how errors look."""

    name: str

    def endpoints(self) -> list[Endpoint]:
        """Return everything it serves."""
        ...

    def parse(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Call:
        """Take a request apart; ``target`` is the path with its query as it came."""
        ...

    def authenticate(self, call: Call, endpoint: Endpoint) -> None:
        """Find the account and check signature and time; raises ``ApiError``."""
        ...

    def charge(self, call: Call, endpoint: Endpoint) -> dict[str, str]:
        """Charge the rate budgets and return their headers; raises ``ApiError``."""
        ...

    def injected(self, fault: str, settings: Mapping[str, float | str]) -> ApiError:
        """Return the error that a fault of that name answers with."""
        ...

    def render_error(self, error: ApiError) -> bytes:
        """Return the body of an error."""
        ...

    def translate(self, error: Exception, call: Call, endpoint: Endpoint) -> ApiError:
        """Return the dialect's error for a refusal of the exchange or malformed input."""
        ...

    def wrap(self, payload: Json) -> Json:
        """Return the payload in the dialect's envelope."""
        ...
