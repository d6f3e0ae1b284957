"""A workflow as a careless change would leave it."""

from datetime import timedelta

from temporalio import workflow

from workflows.monitor import MonitorWorkflow

with workflow.unsafe.imports_passed_through():
    from workflows.messages import WORKFLOW_TYPE, MonitorInput, MonitorResult


@workflow.defn(name=WORKFLOW_TYPE)
class HesitantMonitorWorkflow(MonitorWorkflow):
    """Waits a moment before it begins: no command of a running monitor is where it was."""

    @workflow.init
    def __init__(self, order: MonitorInput) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: MonitorInput) -> MonitorResult:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(order)
