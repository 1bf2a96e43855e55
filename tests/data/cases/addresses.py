# SPDX-License-Identifier: BSD-3-Clause
"""Destinations: the examples of the specification, edges of blocks, nesting, local scope."""
from case import CDN4, CDN6, MT4, MT6, OUT4, OUT6, SPE4, SPE6, Case, cases, dropped
from packets import Host, eth4, eth6, ip4, ip6, tcp, udp


def at(address, binding, service, why):
    """TCP 443, which every service accepts."""
    packet = eth6(ip6(address, tcp(443))) if ":" in address else eth4(ip4(address, tcp(443)))
    return Case(why, packet, Host(address, binding), service, service, "egress")


def unbound(address, why):
    return Case(why, at(address, "-", "", "").packet, Host(address, "-"), "unmatched", "unmatched", "egress")


def local(address, why):
    return dropped(why, at(address, "-", "", "").packet, "local_scope", Host(address, "-"))


EXAMPLES = cases(
    ("example: a cdn host in a magic_transit prefix", eth4(ip4(CDN4, tcp(80))), CDN4, "cdn", "cdn", "egress"),
    ("example: a spectrum host in a magic_transit prefix", eth4(ip4(SPE4, tcp(22))), SPE4, "spectrum", "spectrum", "egress"),
    ("example: the rest of a magic_transit prefix", eth4(ip4(MT4, udp(53))), MT4, "magic_transit", "magic_transit", "egress"),
    at("198.51.100.1", "198.51.100.1/32", "spectrum", "example: a spectrum host in a cdn prefix"),
    at("198.51.100.2", "198.51.100.0/24", "cdn", "example: the rest of a cdn prefix"),
    at("10.200.0.1", "10.200.0.1/32", "cdn", "example: a cdn host in a spectrum prefix"),
    at("10.200.0.2", "10.200.0.0/24", "spectrum", "example: the rest of a spectrum prefix"),
    ("example: an address that nobody brought", eth4(ip4(OUT4, tcp(443))), OUT4, "unmatched", "unmatched", "egress"),
    ("example for IPv6: cdn host", eth6(ip6(CDN6, tcp(80))), CDN6, "cdn", "cdn", "egress"),
    ("example for IPv6: spectrum host", eth6(ip6(SPE6, udp(53))), SPE6, "spectrum", "spectrum", "egress"),
    ("example for IPv6: the rest", eth6(ip6(MT6, tcp(22))), MT6, "magic_transit", "magic_transit", "egress"),
    at("2001:db8:100::1", "2001:db8:100::1/128", "spectrum", "example for IPv6: spectrum host in a cdn prefix"),
    at("2001:db8:100::2", "2001:db8:100::/48", "cdn", "example for IPv6: the rest of a cdn prefix"),
    at("2001:db8:200::1", "2001:db8:200::1/128", "cdn", "example for IPv6: cdn host in a spectrum prefix"),
    at("2001:db8:200::2", "2001:db8:200::/48", "spectrum", "example for IPv6: the rest of a spectrum prefix"),
    ("example for IPv6: nobody's address", eth6(ip6(OUT6, tcp(443))), OUT6, "unmatched", "unmatched", "egress"),
)

EDGES4 = [
    unbound("203.0.112.255", "the address before 203.0.113.0/24"),
    at("203.0.113.0", "203.0.113.0/32", "cdn", "the first address of a prefix, bound by itself"),
    at("203.0.113.4", "203.0.113.0/24", "magic_transit", "default between bindings"),
    at("203.0.113.63", "203.0.113.0/24", "magic_transit", "the address before 203.0.113.64/26"),
    at("203.0.113.64", "203.0.113.64/26", "cdn", "the first address of a binding"),
    at("203.0.113.79", "203.0.113.64/26", "cdn", "the address before the nested 203.0.113.80/28"),
    at("203.0.113.80", "203.0.113.80/28", "spectrum", "the first address of a nested binding"),
    at("203.0.113.84", "203.0.113.84/32", "cdn", "four bindings deep"),
    at("203.0.113.85", "203.0.113.80/28", "spectrum", "behind the deepest binding"),
    at("203.0.113.95", "203.0.113.80/28", "spectrum", "the last address of a nested binding"),
    at("203.0.113.96", "203.0.113.64/26", "cdn", "behind a nested binding its cover holds again"),
    at("203.0.113.127", "203.0.113.64/26", "cdn", "the last address of a binding"),
    at("203.0.113.128", "203.0.113.128/31", "spectrum", "the first of two addresses"),
    at("203.0.113.129", "203.0.113.128/31", "spectrum", "the second of two addresses"),
    at("203.0.113.130", "203.0.113.0/24", "magic_transit", "behind a /31"),
    at("203.0.113.254", "203.0.113.0/24", "magic_transit", "the last but one of a prefix"),
    at("203.0.113.255", "203.0.113.255/32", "spectrum", "the last address of a prefix: no broadcast to steer"),
    unbound("203.0.114.0", "the address behind 203.0.113.0/24"),
    at("198.51.100.0", "198.51.100.0/24", "cdn", "the first address of a cdn prefix"),
    at("198.51.100.127", "198.51.100.0/24", "cdn", "the last address before a /25"),
    at("198.51.100.128", "198.51.100.128/25", "spectrum", "the first address of a /25"),
    at("198.51.100.255", "198.51.100.255/32", "cdn", "a host at the end of both its blocks"),
    unbound("10.63.255.255", "the address before 10.64.0.0/10"),
    at("10.64.0.0", "10.64.0.0/32", "spectrum", "the first address of a short prefix, bound by itself"),
    at("10.64.0.1", "10.64.0.0/10", "magic_transit", "the second address of a short prefix"),
    at("10.95.255.255", "10.64.0.0/10", "magic_transit", "the address before 10.96.0.0/11"),
    at("10.96.0.0", "10.96.0.0/11", "cdn", "the first address of a /11"),
    at("10.127.255.254", "10.96.0.0/11", "cdn", "the last but one of a short prefix"),
    at("10.127.255.255", "10.127.255.255/32", "spectrum", "the last address of a short prefix"),
    unbound("10.128.0.0", "the address behind 10.64.0.0/10"),
    unbound("172.15.255.255", "the address before 172.16.0.0/12"),
    at("172.16.0.0", "172.16.0.0/12", "cdn", "the first address of a prefix without further bindings"),
    at("172.31.255.255", "172.16.0.0/12", "cdn", "its last address"),
    unbound("172.32.0.0", "the address behind it"),
    at("192.168.0.255", "192.168.0.0/24", "spectrum", "the last address before a neighbouring prefix"),
    at("192.168.1.0", "192.168.1.0/24", "magic_transit", "the first address of the neighbouring prefix"),
    Case("a pending prefix is not steered; reading: its addresses are inside a prefix",
         eth4(ip4("192.168.255.1", tcp(443))), Host("192.168.255.1", "-"), "unmatched", "unmatched", "egress",
         inside_prefix=True),
]

EDGES6 = [
    unbound("2001:db8:112:ffff:ffff:ffff:ffff:ffff", "the address before 2001:db8:113::/48"),
    at("2001:db8:113::", "2001:db8:113::/48", "magic_transit", "the first address of the prefix"),
    at("2001:db8:113:ff:ffff:ffff:ffff:ffff", "2001:db8:113::/48", "magic_transit", "the address before a /56"),
    at("2001:db8:113:100::", "2001:db8:113:100::/56", "cdn", "the first address of a /56"),
    at("2001:db8:113:17f:ffff:ffff:ffff:ffff", "2001:db8:113:100::/56", "cdn", "the address before the nested /57"),
    at("2001:db8:113:180::", "2001:db8:113:180::/57", "spectrum", "the first address of a nested /57"),
    at("2001:db8:113:180::1", "2001:db8:113:180::1/128", "cdn", "four bindings deep"),
    at("2001:db8:113:1ff:ffff:ffff:ffff:ffff", "2001:db8:113:180::/57", "spectrum", "the last address of both"),
    at("2001:db8:113:200::", "2001:db8:113:200::/64", "cdn", "the first address of a /64"),
    at("2001:db8:113:200:7fff:ffff:ffff:ffff", "2001:db8:113:200::/64", "cdn", "the address before a /65"),
    at("2001:db8:113:200:8000::", "2001:db8:113:200:8000::/65", "spectrum", "the first address of a /65"),
    at("2001:db8:113:200:ffff:ffff:ffff:ffff", "2001:db8:113:200:8000::/65", "spectrum", "its last address"),
    at("2001:db8:113:201::", "2001:db8:113::/48", "magic_transit", "the address behind a /64"),
    at("2001:db8:113:300::4", "2001:db8:113:300::4/127", "cdn", "the first of two addresses"),
    at("2001:db8:113:300::5", "2001:db8:113:300::4/127", "cdn", "the second of two addresses"),
    at("2001:db8:113:300::6", "2001:db8:113::/48", "magic_transit", "behind a /127"),
    at("2001:db8:113:ffff:ffff:ffff:ffff:fffe", "2001:db8:113::/48", "magic_transit", "the last but one of a prefix"),
    at("2001:db8:113:ffff:ffff:ffff:ffff:ffff", "2001:db8:113:ffff:ffff:ffff:ffff:ffff/128", "spectrum",
       "the last address of the prefix"),
    unbound("2001:db8:114::", "the address behind 2001:db8:113::/48"),
    at("2001:db8:100:7fff:ffff:ffff:ffff:ffff", "2001:db8:100::/48", "cdn", "the address before a /49"),
    at("2001:db8:100:8000::", "2001:db8:100:8000::/49", "spectrum", "the first address of a /49"),
    at("fd00:113::", "fd00:113::/32", "magic_transit", "the first address of a short prefix"),
    at("fd00:113:ffff:ffff:ffff:ffff:ffff:ffff", "fd00:113::/32", "magic_transit", "the last of a short prefix"),
    unbound("fd00:114::", "the address behind it"),
]

SCOPES = [
    unbound("0.0.0.0", "0.0.0.0 is not of local scope, and nobody's"),
    unbound("0.0.0.1", "nor is the rest of 0.0.0.0/8"),
    unbound("126.255.255.255", "the address before 127.0.0.0/8"),
    local("127.0.0.0", "loopback, first address"),
    local("127.0.0.1", "loopback"),
    local("127.255.255.255", "loopback, last address"),
    unbound("128.0.0.0", "the address behind 127.0.0.0/8"),
    unbound("169.253.255.255", "the address before 169.254.0.0/16"),
    local("169.254.0.0", "link-local, first address"),
    local("169.254.255.255", "link-local, last address"),
    unbound("169.255.0.0", "the address behind 169.254.0.0/16"),
    unbound("223.255.255.255", "the address before 224.0.0.0/4"),
    local("224.0.0.0", "multicast, first address"),
    local("239.255.255.255", "multicast, last address"),
    unbound("240.0.0.0", "reserved, not multicast"),
    unbound("255.255.255.254", "the address before the limited broadcast"),
    local("255.255.255.255", "limited broadcast"),
    unbound("::", "the unspecified address is not of local scope"),
    local("::1", "loopback"),
    unbound("::2", "the address behind loopback"),
    unbound("::ffff:203.0.113.1", "an IPv4-mapped address is not the IPv4 address"),
    unbound("fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "the address before fe80::/10"),
    local("fe80::", "link-local, first address"),
    local("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local, last address"),
    unbound("fec0::", "the address behind fe80::/10"),
    unbound("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "the address before ff00::/8"),
    local("ff00::", "multicast, first address"),
    local("ff02::1:ff00:1", "multicast, solicited node"),
    local("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast, last address"),
]

CASES = EXAMPLES + EDGES4 + EDGES6 + SCOPES
