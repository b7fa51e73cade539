"""Where a request comes from, as far as fairness goes. (leaf)"""

from __future__ import annotations

import ipaddress

NETWORK = {4: 24, 6: 56}  # bits of an address that one household or school has


def network(host: str) -> str:
    """Returns the network of an address, or the host's name where it is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, NETWORK[address.version]), strict=False))
