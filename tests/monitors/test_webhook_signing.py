import base64
import hashlib
import hmac
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from monitors.webhook_signing import is_signed, signature_headers

KEY, OTHER = b"key-one-of-more-than-24-bytes", b"key-two-of-more-than-24-bytes"
BODY = '{"event_id":"evt-1","data":{"title":"Grüße"}}'.encode()
AT = 1_780_000_000


def headers(*keys: bytes, body: bytes = BODY, at: int = AT) -> dict[str, str]:
    return signature_headers(keys, event_id="evt-1", body=body, attempt_at=at)


def test_the_plain_signature_is_an_hmac_over_timestamp_and_body() -> None:
    expected = hmac.new(KEY, f"{AT}.".encode() + BODY, hashlib.sha256).hexdigest()
    signed = headers(KEY)
    assert signed["X-Signature-256"] == f"sha256={expected}"
    assert (signed["X-Timestamp"], signed["X-Event-Id"]) == (str(AT), "evt-1")


def test_a_known_signature() -> None:
    """Fixed, so that receivers in other languages can be tested against it."""
    signed = signature_headers([b"secret"], event_id="evt-1", body=b"{}", attempt_at=1)
    assert signed == {
        "X-Timestamp": "1",
        "X-Signature-256": "sha256="
        "1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908",
        "X-Event-Id": "evt-1",
        "webhook-id": "evt-1",
        "webhook-timestamp": "1",
        "webhook-signature": "v1,KFIuAHWS6UE32pANmDrPOgJYbzGUKMyNe2E/XM1t4X0=",
    }


@pytest.mark.parametrize("verifying", [KEY, OTHER], ids=["new key", "old key"])
def test_an_off_the_shelf_verifier_accepts_either_key_of_a_rotation(verifying: bytes) -> None:
    signed = headers(KEY, OTHER, at=int(time.time()))
    Webhook(base64.b64encode(verifying).decode()).verify(BODY, signed)
    assert is_signed(
        [KEY],
        timestamp=signed["X-Timestamp"],
        body=BODY,
        signature=signed["X-Signature-256"],
    )


def test_an_off_the_shelf_verifier_refuses_another_key() -> None:
    signed = headers(OTHER, at=int(time.time()))
    with pytest.raises(WebhookVerificationError):
        Webhook(base64.b64encode(KEY).decode()).verify(BODY, signed)


@pytest.mark.parametrize(
    ("timestamp", "body", "signature"),
    [
        pytest.param(str(AT + 1), BODY, None, id="another time"),
        pytest.param("", BODY, None, id="no time"),
        pytest.param(str(AT), BODY + b" ", None, id="another body"),
        pytest.param(str(AT), BODY, "", id="no signature"),
        pytest.param(str(AT), BODY, "sha256=", id="an empty one"),
        pytest.param(str(AT), BODY, "sha256=Grüße", id="not ascii"),
        pytest.param(str(AT), BODY, headers(OTHER)["X-Signature-256"], id="another key"),
    ],
)
def test_what_does_not_fit_is_refused(timestamp: str, body: bytes, signature: str | None) -> None:
    given_signature = headers(KEY)["X-Signature-256"] if signature is None else signature
    assert not is_signed([KEY], timestamp=timestamp, body=body, signature=given_signature)


def test_without_keys_nothing_is_genuine() -> None:
    signature = headers(KEY)["X-Signature-256"]
    assert not is_signed([], timestamp=str(AT), body=BODY, signature=signature)


@given(st.binary(min_size=1), st.binary(), st.integers(0, 2**40), st.text(max_size=20))
def test_what_is_signed_is_found_genuine_and_a_changed_body_is_not(
    key: bytes, body: bytes, at: int, event_id: str
) -> None:
    signed = signature_headers([key], event_id=event_id, body=body, attempt_at=at)
    fits = {"timestamp": signed["X-Timestamp"], "signature": signed["X-Signature-256"]}
    assert is_signed([key], body=body, **fits)
    assert not is_signed([key], body=body + b"\0", **fits)
