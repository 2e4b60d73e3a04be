"""Snakemake that asks SLURM every second how its jobs are.

The plugin waits ten seconds longer after every look at which nothing has ended; no option prevents that.
Only the process that submits is changed; jobs run the plain snakemake.
"""

import asyncio
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep(_: RemoteExecutor) -> None:
    """Wait between two looks at the jobs."""
    await asyncio.sleep(1)


RemoteExecutor.sleep = sleep
sys.exit(main())
