"""Registers in Temporal the search attributes by which monitors are filtered.

For a Temporal of your own; Temporal Cloud has another interface for that.
"""

import asyncio
import os
import sys

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from runtime.errors import StartError
from runtime.temporal import connect_temporal
from workflows import search_attributes

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD


async def register(client: Client) -> list[str]:
    """Register the search attributes that the namespace lacks; return their names."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = [key.name for key in search_attributes.ALL if key.name not in known.custom_attributes]
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace, search_attributes=dict.fromkeys(missing, KEYWORD)
            )
        )
    return missing


async def _main() -> str:
    missing = await register(await connect_temporal(lazy=False))
    return f"registered: {', '.join(missing)}" if missing else "all are registered"


def _run() -> int:
    """Return the exit code."""
    try:
        print(asyncio.run(_main()))
    except (RuntimeError, RPCError, StartError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = _run()
    sys.stdout.flush()
    os._exit(code)  # the SDK's threads sometimes abort the interpreter while it ends
