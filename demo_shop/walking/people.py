"""Who the shoppers say they are: a name, an account, an address, a browser, and where they come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["AGENTS", "BOT_AGENT", "Arrival", "Person", "arrival", "person"]

_FIRST = ("Ada", "Bela", "Carla", "Daan", "Elif", "Femke", "Goran", "Hanna", "Ivo", "Jolanda", "Kemal", "Lotte")
_LAST = ("Arendt", "Bakker", "Costa", "Dubois", "Ekdahl", "Fischer", "Gruber", "Horvat", "Iversen", "Jansen", "Kaya")
_STREETS = ("Harbour Lane", "Mill Road", "Linden Street", "Market Square", "Garden Row", "Bridge Street")
_TOWNS = MappingProxyType(
    {
        "Germany": ("DE", "10115", "Berlin"),
        "Austria": ("AT", "1010", "Vienna"),
        "Netherlands": ("NL", "1011 AB", "Amsterdam"),
        "France": ("FR", "75001", "Paris"),
    }
)
"""Where a country's parcels go; those from elsewhere have a friend in Germany."""

AGENTS = MappingProxyType(
    {
        "mobile": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.5 Mobile/15E148 Safari/604.1",
        "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/138.0.0.0 Safari/537.36",
        "tablet": "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.5 Mobile/15E148 Safari/604.1",
    }
)
"""What each kind of device calls itself."""

BOT_AGENT = "Scrapy/2.13.3 (+https://scrapy.org)"


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated visitor's own words."""

    first_name: str
    email: str
    password: str
    address: MappingProxyType[str, str]
    payment: int
    """Which of the ways to pay, counted round."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a channel shows in the first request: the referring page and what is added to the address."""

    referer: str
    query: str = ""


_ARRIVALS = MappingProxyType(
    {
        "Organic Search": Arrival("https://www.google.com/"),
        "Direct": Arrival(""),
        "Paid Search": Arrival("https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=season"),
        "Social": Arrival("https://www.instagram.com/", "utm_source=instagram&utm_medium=social"),
        "Referral": Arrival("https://notes.example/good-things/"),
        "Email": Arrival("", "utm_source=newsletter&utm_medium=email&utm_campaign=weekly"),
        "Affiliates": Arrival("https://deals.example/", "utm_source=deals&utm_medium=affiliate"),
    }
)


def arrival(channel: str) -> Arrival:
    """How a visitor of a channel arrives."""
    return _ARRIVALS[channel]


def person(visitor: int, country: str, *, seed: int) -> Person:
    """The same person for the same visitor and seed, so that a later walk finds the account again."""
    dice = hashlib.sha256(f"{seed}/{visitor}".encode()).digest()
    first, last = _FIRST[dice[0] % len(_FIRST)], _LAST[dice[1] % len(_LAST)]
    code, postcode, city = _TOWNS.get(country, _TOWNS["Germany"])
    email = f"{first}.{last}.{dice.hex()[:12]}@shoppers.example".lower()
    street = f"{1 + dice[2]} {_STREETS[dice[3] % len(_STREETS)]}"
    address = {
        "name": f"{first} {last}",
        "email": email,
        "street": street,
        "postcode": postcode,
        "city": city,
        "country": code,
    }
    return Person(first, email, f"walks-{dice.hex()[12:36]}", MappingProxyType(address), dice[4])
