"""A child process that runs a batch of prompts with starter models, and prints how far it is. It is meant to be killed.

    python -m tests.support.running_batch DATA_FOLDER PROMPTS MEMBERS

MEMBERS with commas between. The first run makes the batch, all others go on with it. A line `at N` follows the COMMIT
of each prompt's end, `done` the last one; `refused WHY` is printed where another process runs it.
"""

import asyncio
import sys
from pathlib import Path

from codette_desktop.application import Application
from codette_desktop.domain.comparisons import ComparisonSetup
from codette_desktop.domain.errors import StoreError

MEMBERS = "guide-s-q8_0?temperature=1&max_tokens=40,guide-m-q8_0?temperature=1&max_tokens=40"


async def run(folder: Path, prompts: int, members: str) -> None:
    """Until it is done or killed."""
    application = Application.open(folder)
    try:
        batch = next(iter(application.batches.list()), None)
        if batch is None:
            setup = ComparisonSetup(application.members.read_all(members.split(",")))
            texts = [f"Question {number}: how do I compare two models?" for number in range(prompts)]
            batch = await application.batches.create("batch", texts, setup)
        async for progress in application.batches.run(batch.id):
            print("at", progress.batch.done, flush=True)
        print("done", flush=True)
    except StoreError as error:
        print("refused", error, flush=True)
    finally:
        await application.aclose()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else MEMBERS))
