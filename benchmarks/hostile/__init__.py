"""Healthy streams beside clients, origins, receivers and a DNS zone that mean no good."""
