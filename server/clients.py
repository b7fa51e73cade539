"""Where a request comes from, as far as fairness goes. (leaf)"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple

NETWORK = {4: 24, 6: 56}  # bits of an address that one household or school has


class Client(NamedTuple):
    """Who is charged for a request, and the network that it comes from: fairness is first between networks."""

    name: str
    network: str = ""


NOBODY = Client("")


@lru_cache(4096)
def network(host: str) -> str:
    """Returns the network of an address, or the host's name where it is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, NETWORK[address.version]), strict=False))
