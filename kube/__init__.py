"""The probe Pods of a Kubernetes cluster: what they look like, and what becomes of them."""
