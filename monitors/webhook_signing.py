"""How a webhook proves where it comes from.

Two schemes on every attempt: `X-Signature-256`, and the Standard Webhooks 1.0 trio, which a
receiver can check with an off-the-shelf verifier.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence


def signature_headers(
    keys: Sequence[bytes], *, event_id: str, body: bytes, attempt_at: int
) -> dict[str, str]:
    """Return the headers that sign an attempt at these unix seconds.

    The first key signs; a second one, during a rotation, signs the trio too.
    """
    timestamp = str(attempt_at).encode()
    plain = hmac.new(keys[0], timestamp + b"." + body, hashlib.sha256).hexdigest()
    message = event_id.encode() + b"." + timestamp + b"." + body
    trio = [base64.b64encode(hmac.digest(key, message, "sha256")).decode() for key in keys]
    return {
        "X-Timestamp": str(attempt_at),
        "X-Signature-256": f"sha256={plain}",
        "X-Event-Id": event_id,
        "webhook-id": event_id,
        "webhook-timestamp": str(attempt_at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in trio),
    }


def is_signed(keys: Sequence[bytes], *, timestamp: str, body: bytes, signature: str) -> bool:
    """Check `X-Signature-256` against `keys`, in constant time.

    `timestamp` is the header `X-Timestamp`; the caller checks its age.
    """
    message = timestamp.encode() + b"." + body
    expected = ["sha256=" + hmac.new(key, message, hashlib.sha256).hexdigest() for key in keys]
    return any(hmac.compare_digest(one.encode(), signature.encode()) for one in expected)


def is_trio_signed(
    keys: Sequence[bytes], *, message_id: str, timestamp: str, body: bytes, signatures: str
) -> bool:
    """Check the trio's signatures against `keys`, in constant time.

    `message_id`, `timestamp` and `signatures` are the headers `webhook-id`, `webhook-timestamp`,
    whose age the caller checks, and `webhook-signature`: `v1,BASE64`, more of them after spaces.
    """
    message = f"{message_id}.{timestamp}.".encode() + body
    digests = [base64.b64encode(hmac.digest(key, message, "sha256")) for key in keys]
    given = [text.encode() for text in signatures.split(" ")]
    fits = [hmac.compare_digest(b"v1," + known, one) for known in digests for one in given]
    return any(fits)


def callback_seal(key: bytes, monitor_id: str, callback_url: str) -> str:
    """Return the gateway's proof that this is where a monitor's webhooks go.

    Otherwise everybody who can start workflows gets anything signed for an address of their own.
    `key` is the internal key, which the gateway and the orchestrators have.
    """
    message = f"callback\n{monitor_id}\n{callback_url}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def is_sealed(key: bytes, *, monitor_id: str, callback_url: str, seal: str) -> bool:
    """Return whether `seal` is the one of `callback_seal`; compares in constant time."""
    expected = callback_seal(key, monitor_id, callback_url)
    return hmac.compare_digest(expected.encode(), seal.encode())
