"""URLs that open evidence without a key."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from tests.testkit.evidence import FIRST_FAULTY, JPEG, new_incident
from tests.testkit.gateway import Running, running_gateway, without_key

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


async def test_a_url_opens_it_without_a_key_until_it_expires(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    await incident.open()
    await incident.put(FIRST_FAULTY, JPEG)
    url = (await incident.shown())["first_faulty"]["url"]
    told = gateway.gateway.links
    path = url.partition("?")[0]
    async with without_key(gateway) as stranger:
        assert (await stranger.get(url)).content == JPEG
        other = path[:-1] + ("0" if path[-1] != "0" else "1")
        expired = told.url(path, datetime.now(UTC) - told.ttl - timedelta(seconds=1))
        for bad, why in [
            (path, "X-API-Key: is required"),
            (url[:-1] + ("0" if url[-1] != "0" else "1"), "signature: is not valid for this URL"),
            (url.replace(path, other), "signature: is not valid for this URL"),
            (f"{path}?signature=0", "signature: is not valid for this URL"),
            (expired, "expires: the URL has expired; with a key it opens"),
        ]:
            answer = await stranger.get(bad)
            assert (answer.status_code, answer.json()["error"]["message"]) == (401, why)


async def test_a_url_is_good_before_the_gateway_knows_the_event(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    path = f"/api/v1/evidence/{incident.id_of(FIRST_FAULTY)}"
    links, now = gateway.gateway.links, datetime.now(UTC)
    async with without_key(gateway) as stranger:
        young = await stranger.get(links.url(path, now))
        old = await stranger.get(links.url(path, now - timedelta(minutes=5)))
    assert (young.status_code, young.headers["Retry-After"]) == (404, "5")
    assert (old.status_code, old.headers.get("Retry-After")) == (404, None)


async def test_events_tell_the_url_as_webhooks_do(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    path = f"/api/v1/evidence/{incident.id_of(FIRST_FAULTY)}"
    await incident.open(evidence_url=path)
    events = (await gateway.client.get(f"/api/v1/monitors/{incident.monitor_id}/events")).json()
    (event,) = events["events"]
    told_at = NOON + timedelta(seconds=30)
    assert event["payload"]["data"]["evidence_url"] == gateway.gateway.links.url(path, told_at)


async def test_a_url_in_an_answer_is_not_good_for_much_longer_than_is_set(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, evidence_url_ttl_sec=600) as gateway:
        incident = await new_incident(gateway, NOON)
        await incident.open()
        url = (await incident.shown())["first_faulty"]["url"]
    expires = int(parse_qs(urlsplit(url).query)["expires"][0])
    assert -60 < expires - datetime.now(UTC).timestamp() - 600 <= 50
