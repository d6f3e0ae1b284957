"""The codec endpoint: Temporal's web UI and command read encrypted payloads through it.

It speaks the protocol of remote data encoding: `POST /codec/decode` and `/codec/encode` take and
return `Payloads` as JSON (https://docs.temporal.io/remote-data-encoding). It has keys of its own,
since a browser is to have none that creates or stops monitors.
"""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from api.auth import KeyRing, peer_address
from api.body import read_body
from api.errors import Unauthorized, ValidationFailed, install_error_handlers
from api.injection import injected, provide
from api.request_limits import Counted, Limits, RequestLimits
from runtime.payloads import EncryptionCodec, UnreadablePayload
from runtime.settings import GatewaySettings

PREFIX: Final = "/codec"
MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""The web UI sends the payloads of a page of a history at once."""

Coding = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


async def _admit(
    request: Request,
    keys: Annotated[KeyRing, injected(KeyRing)],
    limits: Limits,
) -> None:
    """Let those through that have a codec key, as bearer token or as password of any user.

    Raises:
        Unauthorized: no key, or none of ours; a browser asks its user for one.
    """
    if keys.holder(_given_key(request.headers.get("Authorization", ""))) is None:
        await limits.count(Counted.WRONG_KEYS, peer_address(request))
        challenge = {"WWW-Authenticate": 'Basic realm="codec", charset="UTF-8"'}
        raise Unauthorized("Authorization: a key of CODEC_KEYS is required", headers=challenge)


def _given_key(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


CodecDep = Annotated[EncryptionCodec, injected(EncryptionCodec)]
router = APIRouter(dependencies=[Depends(_admit)])


@router.get("/")
async def sign_in() -> dict[str, str]:
    """Have a browser ask its user for a key, which it then sends along with the web UI's calls."""
    return {"status": "ok"}


@router.post("/encode")
async def encode(request: Request, codec: CodecDep) -> Response:
    """Encrypt what the web UI or the command is about to send."""
    return await _coded(request, codec.encode)


@router.post("/decode")
async def decode(request: Request, codec: CodecDep) -> Response:
    """Decrypt what the web UI or the command is about to show."""
    return await _coded(request, codec.decode)


def add_codec(app: FastAPI, limits: RequestLimits, settings: GatewaySettings) -> None:
    """Add the endpoint, where there are keys for it and something to decrypt.

    It is an application of its own: what other origins may do here, they may do nowhere else.
    """
    if not (settings.payload_keys and settings.codec_keys):
        return
    codec = FastAPI(redirect_slashes=False, openapi_url=None)
    keys = KeyRing(settings.codec_keys)
    provide(codec, limits, keys, EncryptionCodec(settings.payload_keys))
    codec.include_router(router)
    install_error_handlers(codec)
    codec.add_middleware(
        CORSMiddleware,
        allow_origins=settings.codec_origins,
        allow_methods=["POST"],
        allow_headers=["Authorization", "Content-Type", "X-Namespace"],
        allow_credentials=True,
    )
    app.mount(PREFIX, codec)


async def _coded(request: Request, coding: Coding) -> Response:
    try:
        payloads = Parse(await read_body(request, most_bytes=MAX_BODY_BYTES), Payloads())
        coded = Payloads(payloads=await coding(payloads.payloads))
    except (ParseError, UnicodeDecodeError):
        raise ValidationFailed("body: must be Payloads as JSON") from None
    except UnreadablePayload as error:
        raise ValidationFailed(f"payloads: {error}") from None
    return Response(MessageToJson(coded, indent=None), media_type="application/json")
