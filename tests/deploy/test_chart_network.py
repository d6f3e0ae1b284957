"""The network policies of the Helm chart: each process reaches what it needs, and no more."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.testkit.chart import (
    EVERYTHING_IN_PODS,
    MINIMAL,
    POD_OF_A_STREAM,
    changed,
    of_kind,
    rendered,
    selects,
)

PROBES = {"matchLabels": {"kubernetes.io/metadata.name": "streams-st-probes"}}


class TestNetworkPolicies:
    def labels(self, objects: list[dict[str, Any]], component: str) -> dict[str, str]:
        template = of_kind(objects, "Deployment")[component]["spec"]["template"]
        found: dict[str, str] = template["metadata"]["labels"]
        return found

    @pytest.mark.parametrize("values", [MINIMAL, EVERYTHING_IN_PODS], ids=["minimal", "all"])
    def test_workers_alone_reach_the_internal_port(self, values: dict[str, Any]) -> None:
        has_pods = values is EVERYTHING_IN_PODS
        objects = rendered(values)
        policy = of_kind(objects, "NetworkPolicy")["gateway"]["spec"]
        gateway = self.labels(objects, "gateway")
        assert selects(policy["podSelector"], gateway)
        (rule,) = [rule for rule in policy["ingress"] if rule["ports"][0]["port"] == "internal"]
        here, *elsewhere = rule["from"]
        assert set(here) == {"podSelector"}
        assert selects(here["podSelector"], self.labels(objects, "orchestrator"))
        assert [each["namespaceSelector"] for each in elsewhere] == [PROBES] * has_pods
        for peer in rule["from"]:
            assert selects(peer["podSelector"], POD_OF_A_STREAM)
            assert not selects(peer["podSelector"], gateway)

    def test_helm_test_reaches_the_api_whoever_else_may(self) -> None:
        peer = {"ipBlock": {"cidr": "10.1.2.3/32"}}
        objects = rendered(changed("networkPolicy.apiFrom", [peer]))
        policy = of_kind(objects, "NetworkPolicy")["gateway"]["spec"]
        (rule,) = [rule for rule in policy["ingress"] if rule["ports"][0]["port"] == "http"]
        given, test = rule["from"]
        assert given == peer
        assert selects(test["podSelector"], of_kind(objects, "Pod")["test"]["metadata"]["labels"])
        assert not selects(test["podSelector"], self.labels(objects, "probe"))

    @pytest.mark.parametrize("values", [MINIMAL, EVERYTHING_IN_PODS], ids=["minimal", "all"])
    def test_workers_and_pods_of_streams_are_kept_from_private_addresses(
        self, values: dict[str, Any]
    ) -> None:
        objects = rendered(values)
        policies = of_kind(objects, "NetworkPolicy")
        policy = policies["workers"]["spec"]
        if values is EVERYTHING_IN_PODS:
            assert policies["pods"]["metadata"]["namespace"] == "streams-st-probes"
            assert policies["pods"]["spec"] == policy
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        for labels in (POD_OF_A_STREAM, self.labels(objects, "orchestrator")):
            assert selects(policy["podSelector"], labels)
        anywhere = next(rule["to"] for rule in policy["egress"] if "ports" not in rule)
        blocks = [peer["ipBlock"] for peer in anywhere]

        def reaches(address: str) -> bool:
            return any(
                ip_address(address) in ip_network(block["cidr"])
                and not any(ip_address(address) in ip_network(each) for each in block["except"])
                for block in blocks
            )

        assert all(reaches(each) for each in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"))
        for refused in blocks[0]["except"]:
            first = ip_network(refused)[0]
            assert not reaches(str(first))
            assert not reaches(f"64:ff9b::{first}"), "what a NAT64 gateway makes of it"
        for private in (
            *("10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1"),
            *("100.64.0.1", "168.63.129.16", "0.0.0.1", "224.0.0.1", "240.0.0.1"),
            *("::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2002:7f00:1::"),
            *("::7f00:1", "64:ff9b::169.254.169.254", "2001:0:7f00:1::"),
        ):
            assert not reaches(private)

    def test_workers_reach_dns_temporal_and_the_gateway(self) -> None:
        objects = rendered(MINIMAL)
        egress = of_kind(objects, "NetworkPolicy")["workers"]["spec"]["egress"]
        ports = [rule["ports"][0]["port"] for rule in egress if "ports" in rule]
        assert ports == [53, "internal", 7233]

    def test_a_temporal_on_port_443_does_not_open_that_port_of_private_addresses(self) -> None:
        def ports(values: dict[str, Any]) -> list[object]:
            policy = of_kind(rendered(values), "NetworkPolicy")["workers"]["spec"]
            return [rule["ports"][0]["port"] for rule in policy["egress"] if "ports" in rule]

        cloud = changed("temporal.address", "ns.a1b2c.tmprl.cloud:443")
        inside = cloud | {"networkPolicy": {"temporalTo": [{"ipBlock": {"cidr": "10.1.2.3/32"}}]}}
        assert 443 not in ports(cloud)
        assert 443 in ports(inside)

    def test_the_orchestrator_alone_reaches_the_kubernetes_api(self) -> None:
        objects = rendered(EVERYTHING_IN_PODS)
        policy = of_kind(objects, "NetworkPolicy")["orchestrator"]["spec"]
        assert not selects(policy["podSelector"], POD_OF_A_STREAM)
        assert policy["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
        assert "orchestrator" not in of_kind(rendered(MINIMAL), "NetworkPolicy")

    def test_the_pool_does_not_take_pods_of_streams_for_its_own(self) -> None:
        selector = of_kind(rendered(MINIMAL), "Deployment")["probe"]["spec"]["selector"]
        assert not selects(selector, POD_OF_A_STREAM)
