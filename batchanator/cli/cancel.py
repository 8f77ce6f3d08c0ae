import click

from batchanator.cli import options
from batchanator.cli.once import tell
from batchanator.cli.operating import actor, operate
from batchanator.cli.terminal import plural
from batchanator.settings import Settings


@click.command()
@options.job_id
@options.with_settings()
def command(*, settings: Settings, job_id: int) -> None:
    """Stop job ID: items that no worker holds will not run, held ones end as they end."""
    count = operate(settings, lambda operations: operations.cancel(job_id, actor=actor()))
    tell(f"job {job_id} stops: {plural(count, 'item')} will not run; what a worker holds ends as it ends")
