"""Who asks, as far as fairness goes."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request

NETWORK = {4: 24, 6: 56}  # bits of an address that one household or school has


def client_of(request: Request) -> str:
    """Returns the name under which a request is accounted: the network that it comes from."""
    return network(request.client.host if request.client else "")


def network(host: str) -> str:
    """Returns the network of an address, or the host's name where it is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, NETWORK[address.version]), strict=False))
