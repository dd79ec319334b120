"""Notices that the configuration file was changed, and reads it when whoever writes it has finished."""

import asyncio

from codette_desktop.configuration.file import Configuration

EVERY_S = 1.0
QUIET_LOOKS = 1  # without a change before the file is read
QUIET_LOOKS_FOR_MISTAKES = 3  # before what looks wrong, or is gone, is taken to be meant


async def watch(configuration: Configuration, every_s: float = EVERY_S) -> None:
    """Look at the file every `every_s` seconds until cancelled; changes come into force and go on the bus.

    A file that has mistakes, or has vanished, may be half way through being saved: it gets some looks more.
    """
    loop = asyncio.get_running_loop()
    known = await loop.run_in_executor(None, configuration.fingerprint)
    quiet = -1  # looks since the change that has not been read; -1: there is none
    while True:
        await asyncio.sleep(every_s)
        now = await loop.run_in_executor(None, configuration.fingerprint)
        if now != known:
            known, quiet = now, 0
        elif quiet >= 0:
            quiet += 1
        if quiet < QUIET_LOOKS:
            continue
        seen, text, reading = await loop.run_in_executor(None, configuration.settled)
        if (reading.usable and seen[0] is not None) or quiet >= QUIET_LOOKS_FOR_MISTAKES:
            known, quiet = seen, -1
            configuration.take(text, reading)
