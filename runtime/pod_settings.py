"""The settings of an orchestrator that has each stream probed by a Pod of its own."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, Json
from pydantic_settings import BaseSettings, NoDecode

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
"""An amount as Kubernetes writes it."""

JsonObject = Annotated[Json[dict[str, str]], NoDecode]
JsonObjects = Annotated[Json[list[dict[str, Any]]], NoDecode]
JsonNames = Annotated[Json[list[str]], NoDecode]

DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]


class ProbePlacement(StrEnum):
    """Where streams are probed."""

    POOL = "pool"
    POD = "pod"


class ImagePullPolicy(StrEnum):
    """When a node fetches an image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class PodSettings(BaseSettings):
    """What an orchestrator reads to make Pods."""

    probe_placement: ProbePlacement = Field(
        default=ProbePlacement.POOL,
        description=(
            "pool: by the probe workers, which share a queue; pod: the orchestrator makes a "
            "Kubernetes Pod for each stream."
        ),
    )
    namespace: DnsLabel = Field(default="default", description="Kubernetes namespace of the Pods.")
    worker_image: str | None = Field(
        default=None, description="Image of the Pods; required with PROBE_PLACEMENT=pod."
    )
    worker_image_tag: str | None = Field(
        default=None, description="Tag of the image; default: our own version."
    )
    pod_image_pull_policy: ImagePullPolicy = Field(
        default=ImagePullPolicy.IF_NOT_PRESENT,
        description="When nodes fetch the image: Always, IfNotPresent, Never.",
    )
    pod_secret: str | None = Field(
        default=None,
        description=(
            "Kubernetes Secret from which Pods take their secrets, each under its variable's name, "
            "and PROBE_API_KEY; required with PROBE_PLACEMENT=pod."
        ),
    )
    pod_instance: DnsLabel = Field(
        default="stream-tracker",
        description=(
            "Whose Pods they are, as label app.kubernetes.io/instance: installations that share a "
            "namespace need different ones."
        ),
    )
    pod_max_failures: int = Field(
        default=5,
        ge=1,
        le=100,
        description="A Pod that fails so often in a row ends its monitor with pod_failure.",
    )
    pod_patience_sec: float = Field(
        default=600,
        ge=0,
        le=86_400,
        description=(
            "But not before Pods have failed, or the API has refused to make one, for this long."
        ),
    )
    pod_start_timeout_sec: float = Field(
        default=120, ge=5, le=3600, description="A Pod that is not ready after this has failed."
    )
    pod_cpu_request: Quantity = Field(default="100m", description="CPU that a Pod is sure of.")
    pod_cpu_limit: Quantity = Field(default="500m", description="CPU that a Pod gets at most.")
    pod_memory_request: Quantity = Field(
        default="256Mi", description="Memory that a Pod is sure of."
    )
    pod_memory_limit: Quantity = Field(
        default="512Mi", description="Memory with which a Pod is killed."
    )
    pod_work_size: Quantity = Field(
        default="512Mi", description="Largest size of a Pod's folder for temporary files."
    )
    pod_node_selector: JsonObject = Field(
        default={},
        validate_default=False,
        description="Labels of the nodes that Pods may run on, as JSON object.",
    )
    pod_tolerations: JsonObjects = Field(
        default=[], validate_default=False, description="Tolerations of Pods, as JSON list."
    )
    pod_image_pull_secrets: JsonNames = Field(
        default=[],
        validate_default=False,
        description="Names of the Secrets for the image's registry, as JSON list.",
    )
    pod_priority_class: str | None = Field(
        default=None, description="Priority class of Pods; it must exist in the cluster."
    )
    pod_service_account: str | None = Field(
        default=None, description="Service account of Pods; they get no token of it."
    )
    pod_volumes: JsonObjects = Field(
        default=[],
        validate_default=False,
        description="Further volumes of Pods, as JSON list: for cookies, CA or TLS files.",
    )
    pod_volume_mounts: JsonObjects = Field(
        default=[], validate_default=False, description="Where they are mounted, as JSON list."
    )
