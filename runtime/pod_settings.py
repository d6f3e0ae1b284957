"""The settings of an orchestrator that has each stream probed by a Pod of its own."""

from typing import Annotated, Any, Literal

from pydantic import Field, Json
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from monitors.pods import PlacementKind

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
"""An amount as Kubernetes writes it."""

_UNCHECKED = Field(validate_default=False)  # a default is no JSON text
JsonObject = Annotated[Json[dict[str, str]], NoDecode, _UNCHECKED]
JsonObjects = Annotated[Json[list[dict[str, Any]]], NoDecode, _UNCHECKED]
JsonNames = Annotated[Json[list[str]], NoDecode, _UNCHECKED]

DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]


class PodSettings(BaseSettings):
    """What an orchestrator reads to make Pods."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    probe_placement: PlacementKind = PlacementKind.POOL
    """pool: by the probe workers, which share a queue; pod: the orchestrator makes a Kubernetes
    Pod for each stream."""

    namespace: DnsLabel = "default"
    """Kubernetes namespace of the Pods."""

    worker_image: str | None = None
    """Image of the Pods; required with PROBE_PLACEMENT=pod."""

    worker_image_tag: str | None = None
    """Tag of the image; default: our own version."""

    pod_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When nodes fetch the image: Always, IfNotPresent, Never."""

    pod_secret: str | None = None
    """Kubernetes Secret from which Pods take their secrets, each under its variable's name, and
    PROBE_API_KEY; required with PROBE_PLACEMENT=pod."""

    pod_instance: DnsLabel = "stream-tracker"
    """Whose Pods they are, as label app.kubernetes.io/instance: installations that share a
    namespace need different ones."""

    pod_max_failures: int = Field(default=5, ge=1, le=100)
    """Failures in a row after which a monitor ends with pod_failure."""

    pod_patience_sec: float = Field(default=600, ge=0, le=86_400)
    """Least time that Pods must have failed, or the API refused to make one, before that."""

    pod_start_timeout_sec: float = Field(default=120, ge=5, le=3600)
    """A Pod that is not ready after this has failed."""

    pod_cpu_request: Quantity = "100m"
    """CPU that a Pod is guaranteed."""

    pod_cpu_limit: Quantity = "500m"
    """CPU that a Pod gets at most."""

    pod_memory_request: Quantity = "256Mi"
    """Memory that a Pod is guaranteed."""

    pod_memory_limit: Quantity = "512Mi"
    """Memory above which a Pod is killed."""

    pod_work_size: Quantity = "512Mi"
    """Largest size of a Pod's folder for temporary files."""

    pod_node_selector: JsonObject = {}
    """Labels of the nodes that Pods may run on, as JSON object."""

    pod_tolerations: JsonObjects = []
    """Tolerations of Pods, as JSON list."""

    pod_image_pull_secrets: JsonNames = []
    """Names of the Secrets for the image's registry, as JSON list."""

    pod_priority_class: str | None = None
    """Priority class of Pods; it must exist in the cluster."""

    pod_service_account: str | None = None
    """Service account of Pods; they get no token of it."""

    pod_volumes: JsonObjects = []
    """Further volumes of Pods, as JSON list: for cookies, CA or TLS files."""

    pod_volume_mounts: JsonObjects = []
    """Where they are mounted, as JSON list."""
