"""Hands each route the services that its parameters name by their type."""

from typing import Any, TypeVar

from fastapi import Depends, FastAPI, Request

T = TypeVar("T")


def provide(app: FastAPI, *services: object) -> None:
    """Have the routes of `app` get `services`; no two of them are of one type."""
    app.state.services = {type(service): service for service in services}


def injected(kind: type[T]) -> Any:
    """Mark a parameter whose type is `kind` as a service."""

    async def find(request: Request) -> T:
        service: T = request.app.state.services[kind]
        return service

    return Depends(find)
