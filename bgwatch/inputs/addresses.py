"""Which addresses of the internet protocol belong to the public internet.

`ipaddress.IPv4Address.is_global` says nearly this, but not the same in every release of Python, and it takes some
addresses for public that carry another one inside. The networks are those of IANA's registries of special-purpose
addresses (RFC 6890 and its updates); of IPv6 only what is handed out for the public internet, 2000::/3, can be public.
"""

import ipaddress

NOT_PUBLIC = {
    "an address of this machine": ("127.0.0.0/8", "::1/128"),
    "no address of a machine": ("0.0.0.0/8", "::/128"),
    "a private address": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
    "an address of this link": ("169.254.0.0/16", "fe80::/10"),
    "an address of many machines": ("224.0.0.0/4", "ff00::/8"),
    "an IPv4 address written as IPv6": ("::ffff:0:0/96", "::/96"),
    "an IPv4 address inside an IPv6 one": ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"),
    "a reserved address": (
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"),
    ),
}
_NETWORKS = [(ipaddress.ip_network(text), kind) for kind, texts in NOT_PUBLIC.items() for text in texts]
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")


def not_public(text: str) -> str | None:
    """Say in words why an address is not of the public internet; None for one that is.

    Parameters
    ----------
    text : str
        An IPv4 or IPv6 address in numbers, perhaps with a scope (``fe80::1%eth0``).
    """
    address = ipaddress.ip_address(text)
    for network, kind in _NETWORKS:
        if address in network:
            return kind
    return None if address.version == 4 or address in _PUBLIC_IPV6 else "a reserved address"
