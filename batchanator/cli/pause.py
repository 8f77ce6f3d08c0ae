import click

from batchanator.cli import options
from batchanator.cli.once import tell
from batchanator.cli.operating import actor, operate
from batchanator.settings import Settings


@click.command()
@options.job_id
@options.with_settings()
def command(*, settings: Settings, job_id: int) -> None:
    """Let nothing more of job ID start; what runs goes on to its end."""
    operate(settings, lambda operations: operations.pause(job_id, actor=actor()))
    tell(f"job {job_id} is paused; resume {job_id} lets it go on")
