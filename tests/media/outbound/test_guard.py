# ruff: noqa: RUF001 - look-alike characters are what is tested
import asyncio
from collections.abc import Sequence

import pytest

from media.outbound.addresses import IPAddress
from media.outbound.errors import AddressRefused, NameNotResolved
from media.outbound.guard import OutboundGuard
from tests.media.outbound.test_addresses import REFUSED_ADDRESSES
from tests.testkit.stand_ins import OTHER_PUBLIC, PUBLIC, Names

REFUSED_URLS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::1%25lo]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://[fd00:ec2::254]/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://168.63.129.16/",
    "https://10.0.0.1/live.m3u8",
    "https://172.16.0.1:8443/live.m3u8",
    "https://192.168.0.1/live.m3u8",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://[fe80::1%25eth0]/",
    "http://[fec0::1]/",
    "http://localhost/",
    "http://localhost./",
    "http://foo.localhost/",
    "http://１２７.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://user@127.0.0.1/",
    "http://user:secret@origin.example/",
    "http://127.0.0.1#@origin.example/",
    "http://127.0.0.1\\@origin.example/",
    "http://127.0.0.1%00.origin.example/",
    "http://origin.example%00/",
    "http://origin.example/\r\nHost: x",
    "http:///live.m3u8",
    "http://origin.example:0/",
    "http://origin.example:99999/",
    "file:///etc/passwd",
    "gopher://origin.example/",
    "unix:/run/docker.sock",
    "//origin.example/",
    "origin.example",
    "",
    "http://mixed.example/",
    "http://inside.example/",
]


@pytest.mark.parametrize("url", [pytest.param(url, id=ascii(url)) for url in REFUSED_URLS])
async def test_a_url_that_must_not_be_asked_for_is_refused(guard: OutboundGuard, url: str) -> None:
    with pytest.raises(AddressRefused, match=r"^the address is not allowed$"):
        await guard.check_url(url)


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
async def test_a_name_with_one_special_address_is_refused(address: str) -> None:
    guard = OutboundGuard(False, Names({"origin.example": [[PUBLIC, address, OTHER_PUBLIC]]}))
    with pytest.raises(AddressRefused):
        await guard.pin("origin.example", 443)


async def test_refused_text_is_never_resolved(guard: OutboundGuard, names: Names) -> None:
    for host in ("localhost", "127.1", "169.254.169.254", "①②⑦.0.0.1"):
        with pytest.raises(AddressRefused):
            await guard.pin(host, 80)
    assert names.asked == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://origin.example/live.m3u8?token=x", id="name"),
        pytest.param("https://ORIGIN.example.:8443/live.m3u8", id="port, case, trailing dot"),
        pytest.param("http://8.8.8.8/live.m3u8", id="ipv4"),
        pytest.param("http://[2606:4700:4700::1111]/live.m3u8", id="ipv6"),
    ],
)
async def test_a_public_url_passes(guard: OutboundGuard, url: str) -> None:
    await guard.check_url(url)


async def test_an_unknown_name_is_told_apart_from_a_refused_one(guard: OutboundGuard) -> None:
    with pytest.raises(NameNotResolved):
        await guard.check_url("https://nowhere.example/live.m3u8")


async def test_a_name_without_addresses_is_unknown() -> None:
    with pytest.raises(NameNotResolved):
        await OutboundGuard(False, Names({"empty.example": [[]]})).pin("empty.example", 80)


async def test_pinning_keeps_the_order_and_drops_repetitions() -> None:
    guard = OutboundGuard(False, Names({"twice.example": [[OTHER_PUBLIC, PUBLIC, OTHER_PUBLIC]]}))
    pinned = await guard.pin("twice.example", 443)
    assert [str(address) for address in pinned] == [OTHER_PUBLIC, PUBLIC]


OURS = [("10.0.0.7", 8080), ("Hooks.Inside.example", 443), ("::1", 80)]


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.7:8080/hook",
        "https://hooks.inside.example/hook",
        "https://HOOKS.inside.example.:443/",
        "http://[::1]/hook",
    ],
)
async def test_an_exempt_receiver_passes(url: str) -> None:
    names = Names({"hooks.inside.example": [["10.0.0.8"]]})
    await OutboundGuard(False, names, exempt=OURS).check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://10.0.0.7/hook", id="another port"),
        pytest.param("http://10.0.0.8:8080/hook", id="another host"),
        pytest.param("http://hooks.inside.example/hook", id="another scheme"),
        pytest.param("https://x.hooks.inside.example/hook", id="a name below it"),
        pytest.param("http://10.7:8080/hook", id="another spelling"),
    ],
)
async def test_only_what_is_exempt_passes(url: str) -> None:
    names = Names(
        {
            "hooks.inside.example": [["10.0.0.8"]],
            "x.hooks.inside.example": [["10.0.0.8"]],
        }
    )
    with pytest.raises(AddressRefused):
        await OutboundGuard(False, names, exempt=OURS).check_url(url)


async def test_private_networks_pass_where_they_are_allowed() -> None:
    guard = OutboundGuard(True, Names({"localhost": [["127.0.0.1"]]}))
    await guard.check_url("http://localhost:8000/live.m3u8")
    assert [str(address) for address in await guard.pin("10.0.0.7", 80)] == ["10.0.0.7"]


async def test_the_shape_of_a_url_counts_even_where_private_networks_are_allowed() -> None:
    with pytest.raises(AddressRefused):
        await OutboundGuard(True).check_url("file:///etc/passwd")


async def test_a_resolver_that_hangs_is_given_up() -> None:
    async def hang(host: str, port: int) -> Sequence[IPAddress]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(NameNotResolved):
        await OutboundGuard(False, hang, resolve_timeout_sec=0.01).pin("slow.example", 80)
