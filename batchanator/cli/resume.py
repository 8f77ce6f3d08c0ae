import click

from batchanator.cli import options
from batchanator.cli.once import tell
from batchanator.cli.operating import actor, operate
from batchanator.settings import Settings


@click.command()
@options.job_id
@options.with_settings()
def command(*, settings: Settings, job_id: int) -> None:
    """Let a paused job ID go on, at the head of the queue."""
    operate(settings, lambda operations: operations.resume(job_id, actor=actor()))
    tell(f"job {job_id} may go on")
