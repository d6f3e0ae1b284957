"""The Kubernetes side of probe Pods."""
