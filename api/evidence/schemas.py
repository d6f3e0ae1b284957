"""Evidence as answers about incidents show it."""

from pydantic import AwareDatetime, BaseModel, Field

from api.error_docs import EXAMPLE_EVIDENCE_ID
from api.store.evidence import EvidenceState
from monitors.evidence import EvidenceKind, EvidenceMoment


class ListedEvidence(BaseModel):
    """A piece of evidence of an incident."""

    evidence_id: str = Field(examples=[EXAMPLE_EVIDENCE_ID])
    kind: EvidenceKind
    moment: EvidenceMoment | None = Field(description="What a picture shows; else null.")
    state: EvidenceState
    reason: str | None = Field(
        description="Why it failed, or what is wrong with it.", examples=["no_picture"]
    )
    url: str = Field(description="Opens it without a key, for EVIDENCE_URL_TTL_SEC.")
    content_type: str = Field(examples=["image/jpeg"])
    size_bytes: int | None = Field(description="Null until it is ready.")
    taken_at: AwareDatetime | None


class PublicKey(BaseModel):
    """An Ed25519 key as RFC 8037 writes it."""

    kid: str = Field(description="Names the key: the beginning of the SHA-256 of its bytes.")
    kty: str = "OKP"
    crv: str = "Ed25519"
    alg: str = "EdDSA"
    use: str = "sig"
    x: str = Field(description="Its 32 bytes in base64url.")


class PublicKeys(BaseModel):
    """The keys that capsules are signed with, a JSON Web Key Set; the first signs."""

    keys: list[PublicKey]
