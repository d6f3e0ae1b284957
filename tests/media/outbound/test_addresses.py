# ruff: noqa: RUF001 - look-alike characters are what is tested
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.outbound.addresses import fold_host, is_refused, is_refused_host

REFUSED_ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:168.63.129.16",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2002:808:808::",
    "3ffe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
]

PUBLIC_ADDRESSES = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.1",
    "168.63.129.15",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
]

REFUSED_HOSTS = [
    *REFUSED_ADDRESSES,
    "",
    ".",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "127.0.0.1..",
    "2130706433",
    "2852039166",
    "0x7f000001",
    "0X7F000001",
    "0xA9FEA9FE",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0",
    "0.",
    "127.0.0.1.1",
    "999.1.1.1",
    "8.8.8.08",
    "0x08080808",
    "134744072",
    "::1%25lo",
    "fe80::1%25eth0",
    "[::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "foo.localhost",
    "foo.localhost.",
    "localhost.localdomain",
    "printer.local",
    "metadata.google.internal",
    "router.home.arpa",
    "１２７.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "0ₓ7f000001",
    "127.0.0.1%00",
    "127.0.0.1%00.example.com",
    "%31%32%37.0.0.1",
    "127.0.0.1\x00",
    "127.0.0.1\r\n",
    "exam ple.com",
    "user@127.0.0.1",
    "127.0.0.1#@example.com",
    "127.0.0.1\\@example.com",
    "℀.example.com",
    "a..example.com",
    "v1.fe80::a",
    "a" * 64 + ".com",
    "a." * 127 + "com",
    "\u202e.com",
]

PUBLIC_HOSTS = [
    *PUBLIC_ADDRESSES,
    "example.com",
    "EXAMPLE.com.",
    "rr3---sn-4g5e6nsz.googlevideo.com",
    "under_score.example.com",
    "münchen.example",
    "xn--mnchen-3ya.example",
    "例え.テスト",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "notlocalhost",
    "1e100.net",
    "0x7f.example",
    "123.cdn",
]


@pytest.mark.parametrize("text", REFUSED_ADDRESSES)
def test_special_addresses_are_refused(text: str) -> None:
    assert is_refused(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC_ADDRESSES)
def test_public_addresses_are_not_refused(text: str) -> None:
    assert not is_refused(ip_address(text))


@pytest.mark.parametrize("host", [pytest.param(host, id=ascii(host)) for host in REFUSED_HOSTS])
def test_hosts_that_mean_a_special_address_are_refused(host: str) -> None:
    assert is_refused_host(host)


@pytest.mark.parametrize("host", [pytest.param(host, id=ascii(host)) for host in PUBLIC_HOSTS])
def test_hosts_that_may_be_public_are_not_refused(host: str) -> None:
    assert not is_refused_host(host)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_passes_that_python_calls_not_global(address: IPv4Address) -> None:
    assert address.is_global or is_refused(address)


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_passes_that_python_calls_not_global(address: IPv6Address) -> None:
    assert address.is_global or address.ipv4_mapped or is_refused(address)


@given(st.ip_addresses(v=4))
def test_ipv4_inside_ipv6_is_never_less_strict(address: IPv4Address) -> None:
    value = int(address)
    for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::"):
        carrier = IPv6Address(int(IPv6Address(prefix)) | value)
        assert is_refused(carrier) or not is_refused(address)
    assert is_refused(IPv6Address((0x2002 << 112) | (value << 80)))
    assert is_refused(IPv6Address((0x20010000 << 96) | (value ^ 0xFFFF_FFFF)))


@given(
    st.ip_addresses(v=4),
    st.sampled_from(["{0}", "{0:#x}", "0{0:o}", "{1}.{2}", "{1:#x}.{2:#x}", "{1}.0{2:o}"]),
)
def test_a_number_that_is_no_dotted_quad_is_refused(address: IPv4Address, form: str) -> None:
    value = int(address)
    assert is_refused_host(form.format(value, value >> 24, value & 0xFF_FFFF))


@given(st.text(max_size=40))
def test_any_text_folds_to_ascii_without_an_error(host: str) -> None:
    folded = fold_host(host)
    assert folded.isascii()
    assert is_refused_host(host) in (True, False)
