import ipaddress

import pytest

from bgwatch.inputs.addresses import NOT_PUBLIC, not_public


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "an address of this machine"),
        ("127.255.255.255", "an address of this machine"),
        ("::1", "an address of this machine"),
        ("0.0.0.0", "no address of a machine"),
        ("0.1.2.3", "no address of a machine"),
        ("::", "no address of a machine"),
        ("10.0.0.1", "a private address"),
        ("172.16.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.168.1.1", "a private address"),
        ("100.64.0.1", "a private address"),
        ("100.127.255.255", "a private address"),
        ("fc00::1", "a private address"),
        ("fd12:3456::1", "a private address"),
        ("fec0::1", "a private address"),
        ("169.254.169.254", "an address of this link"),
        ("fe80::1", "an address of this link"),
        ("fe80::1%eth0", "an address of this link"),
        ("224.0.0.1", "an address of many machines"),
        ("239.255.255.255", "an address of many machines"),
        ("ff02::1", "an address of many machines"),
        ("::ffff:127.0.0.1", "an IPv4 address written as IPv6"),
        ("::ffff:8.8.8.8", "an IPv4 address written as IPv6"),
        ("::127.0.0.1", "an IPv4 address written as IPv6"),
        ("64:ff9b::7f00:1", "an IPv4 address inside an IPv6 one"),
        ("64:ff9b:1::a00:1", "an IPv4 address inside an IPv6 one"),
        ("2002:7f00:1::", "an IPv4 address inside an IPv6 one"),
        ("2001:0:7f00:1::", "an IPv4 address inside an IPv6 one"),
        ("192.0.0.1", "a reserved address"),
        ("192.0.2.1", "a reserved address"),
        ("192.88.99.1", "a reserved address"),
        ("198.18.0.1", "a reserved address"),
        ("198.51.100.1", "a reserved address"),
        ("203.0.113.1", "a reserved address"),
        ("240.0.0.1", "a reserved address"),
        ("255.255.255.255", "a reserved address"),
        ("100::1", "a reserved address"),
        ("2001:2::1", "a reserved address"),
        ("2001:db8::1", "a reserved address"),
        ("3fff::1", "a reserved address"),
        ("4000::1", "a reserved address"),
        ("5f00::1", "a reserved address"),
    ],
)
def test_what_is_not_public_is_named(address: str, kind: str) -> None:
    assert not_public(address) == kind


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.1.1.1",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "126.255.255.255",
        ),
        *("223.255.255.255", "192.0.1.0", "2606:4700::1111", "2a00:1450:4001::1", "2400::1"),
    ],
)
def test_what_is_public_is_taken(address: str) -> None:
    assert not_public(address) is None


def test_what_python_calls_not_global_is_not_public_either() -> None:
    """Python knows the registries too, release by release."""
    for texts in NOT_PUBLIC.values():
        for text in texts:
            assert not_public(str(ipaddress.ip_network(text)[0])), text
    for network in (*ipaddress._IPv4Constants._private_networks, *ipaddress._IPv6Constants._private_networks):
        assert not_public(str(network[0])), network
        assert not_public(str(network[-1])), network
