"""Who may call the pretend orgs: the users known to both, their tokens, and the OAuth client.

A Salesforce access token is good for both orgs, as in reality. Which requests need which token is the
orgs' affair.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_CHECKSUM_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True)
class OrgUser:
    """One person or machine, with an id in either org and tokens that work at once."""

    name: str
    salesforce_id: str
    account_engagement_id: int
    salesforce_token: str
    account_engagement_token: str

    @property
    def username(self) -> str:
        return f"{self.name}@sandbox.example"


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The connected app of the Salesforce org: what its token endpoint accepts, and for whom."""

    client_id: str
    client_secret: str = field(repr=False)
    username: str
    """The user that client credentials run as; a JWT may name any user's `username`."""
    public_key_pem: bytes = b""


def id18(id15: str) -> str:
    """Complete a 15 character Salesforce id by its three letters that carry the case."""
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, char in enumerate(id15[start : start + 5]) if char.isupper())
        suffix += _CHECKSUM_LETTERS[bits]
    return id15 + suffix


BUSINESS_UNIT_ID = id18("0Uv5g0000008OIA")


def sandbox_users() -> tuple[OrgUser, ...]:
    """The same four users in every sandbox, so that seeded data can name them; their tokens are fresh."""
    names = ("connector", "sales", "marketing", "admin")
    return tuple(
        OrgUser(
            name=name,
            salesforce_id=id18(f"0055g00000Sbx{place:02d}"),
            account_engagement_id=40 + place,
            salesforce_token=f"00D5g000000Sbox!{secrets.token_urlsafe(24)}",
            account_engagement_token=f"00D5g000000Sbox!{secrets.token_urlsafe(24)}",
        )
        for place, name in enumerate(names, start=1)
    )


class Tokens:
    """Every token that is valid now, and whose it is."""

    def __init__(self, users: Iterable[OrgUser]) -> None:
        self._users: Sequence[OrgUser] = tuple(users)
        self._valid: dict[str, OrgUser] = {}
        for user in self._users:
            self._valid[user.salesforce_token] = user
            self._valid[user.account_engagement_token] = user

    def user_of(self, token: str) -> OrgUser | None:
        return self._valid.get(token)

    def issue(self, user: OrgUser) -> str:
        token = f"00D5g000000Sbox!{secrets.token_urlsafe(24)}"
        self._valid[token] = user
        return token

    def revoke(self, token: str) -> None:
        self._valid.pop(token, None)

    def expire_all(self) -> None:
        """End every token, the ones printed at the start included."""
        self._valid.clear()

    def expire_user(self, name: str) -> None:
        self._valid = {token: user for token, user in self._valid.items() if user.name != name}

    def named(self, name: str) -> OrgUser | None:
        return next((user for user in self._users if user.name == name), None)
