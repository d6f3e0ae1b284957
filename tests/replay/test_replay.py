"""A monitor that runs goes on after an upgrade: kept histories replay with the present code."""

import re

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.replay import kept
from tests.replay.changed_workflow import HesitantMonitorWorkflow
from tests.replay.record import NAMES
from workflows.destination import DestinationWorkflow
from workflows.monitor import MonitorWorkflow
from workflows.redelivery import RedeliveryWorkflow


@pytest.mark.parametrize("name", kept.names())
async def test_a_kept_history_replays(name: str) -> None:
    await replayer(MonitorWorkflow, RedeliveryWorkflow, DestinationWorkflow).replay_workflow(
        kept.read(name)
    )


@pytest.mark.parametrize("name", ["healthy", "stopped_while_waiting", "continued_run_1"])
async def test_a_changed_workflow_does_not_replay(name: str) -> None:
    with pytest.raises(NondeterminismError):
        await replayer(HesitantMonitorWorkflow).replay_workflow(kept.read(name))


def test_every_path_has_its_history() -> None:
    assert kept.names() == NAMES


@pytest.mark.parametrize("name", kept.names())
def test_a_kept_history_tells_nothing_of_a_machine(name: str) -> None:
    text = kept.path_of(name).read_text()
    assert "stackTrace" not in text
    assert "site-packages" not in text
    assert set(re.findall(r'"identity": "([^"]*)"', text)) == {"worker"}


def replayer(*workflows: type) -> Replayer:
    """Return a replayer of these workflows."""
    return Replayer(workflows=workflows, data_converter=pydantic_data_converter)
