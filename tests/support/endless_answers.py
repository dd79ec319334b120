"""A child process that asks the smallest starter model again and again, and prints what has been acknowledged.

Run as a script with the data folder as its argument. A line `question ID` follows the COMMIT of a question,
`answer ID` that of an answer. It is meant to be killed.
"""

import asyncio
import sys
from pathlib import Path

from codette_desktop.application import Application
from codette_desktop.domain.answers import TextChunk
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.messages import Role
from codette_desktop.domain.requests import Sampling

SAMPLING = Sampling(temperature=1.0, max_tokens=400, grammar="root ::= [a-z ]{300,400}")


async def ask_for_ever(folder: Path) -> None:
    """Until killed."""
    application = Application.open(folder)
    conversation = await asyncio.wrap_future(
        application.store.conversations.create(model="guide-s-q8_0", sampling=SAMPLING)
    )
    number = 0
    while True:
        number += 1
        async for part in application.chat.send(conversation.id, f"question {number}"):
            if isinstance(part, Node):
                kind = "question" if part.message.role is Role.USER else "answer"
                print(kind, part.id, flush=True)
            elif isinstance(part, TextChunk):
                print("text", flush=True)


if __name__ == "__main__":
    asyncio.run(ask_for_ever(Path(sys.argv[1])))
