"""What Temporal stores is encrypted: the codec by itself."""

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError

from runtime.payloads import (
    KEY_ID,
    EncryptionCodec,
    UnreadablePayload,
    data_converter,
    search_value,
)

OLD, NEW = SecretStr("o" * 32), SecretStr("n" * 32)
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"https://media.example/token"')


async def one(codec: EncryptionCodec, payload: Payload, *, decode: bool = False) -> Payload:
    (coded,) = await (codec.decode([payload]) if decode else codec.encode([payload]))
    return coded


async def test_a_payload_comes_back_and_nothing_of_it_is_seen_before() -> None:
    codec = EncryptionCodec([NEW])
    sealed = await one(codec, PLAIN)
    assert b"media.example" not in sealed.SerializeToString()
    assert b"json/plain" not in sealed.SerializeToString()
    assert await one(codec, sealed, decode=True) == PLAIN


async def test_the_same_payload_never_looks_the_same() -> None:
    codec = EncryptionCodec([NEW])
    assert (await one(codec, PLAIN)).data != (await one(codec, PLAIN)).data


async def test_the_first_key_encrypts_and_all_decrypt() -> None:
    before, during, after = (EncryptionCodec(keys) for keys in ([OLD], [NEW, OLD], [NEW]))
    old, new = await one(before, PLAIN), await one(during, PLAIN)
    assert old.metadata[KEY_ID] != new.metadata[KEY_ID]
    assert await one(during, old, decode=True) == await one(after, new, decode=True) == PLAIN
    with pytest.raises(UnreadablePayload, match="PAYLOAD_KEYS"):
        await one(after, old, decode=True)


async def test_what_was_stored_before_there_were_keys_stays_readable() -> None:
    assert await one(EncryptionCodec([NEW]), PLAIN, decode=True) == PLAIN


@pytest.mark.parametrize("length", [0, 5, 12, 40])
async def test_a_damaged_payload_is_told(length: int) -> None:
    codec = EncryptionCodec([NEW])
    sealed = await one(codec, PLAIN)
    sealed.data = sealed.data[:length]
    with pytest.raises(UnreadablePayload, match="damaged"):
        await one(codec, sealed, decode=True)


async def test_failures_are_encrypted_too() -> None:
    failure = Failure()
    error = ApplicationError("https://media.example/token does not answer")
    await data_converter([NEW]).encode_failure(error, failure)
    assert b"media.example" not in failure.SerializeToString()
    read = await data_converter([NEW]).decode_failure(failure)
    assert "media.example" in str(read)


def test_without_keys_nothing_changes() -> None:
    assert data_converter([]) is pydantic_data_converter
    assert search_value("url:media.example", []) == "url:media.example"


def test_what_is_searched_is_a_keyed_digest() -> None:
    value = search_value("url:media.example", [NEW, OLD])
    assert value == search_value("url:media.example", [NEW])
    assert value not in (search_value("url:media.example", [OLD]), search_value("url:b", [NEW]))
    assert "media" not in value
