"""llama.cpp's own HTTP server in a process of its own, on a free port of this computer: what people really run.

`python -m tests.support.llama_server MODEL` prints its address and serves until its standard input is closed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "resources" / "starter" / "guide-s-q8_0.gguf"


@contextmanager
def llama_server(
    model: Path = STARTER, *, token: str = "", parallel: int = 1, context: int = 0, embeds: bool = False
) -> Iterator[str]:
    """The address of a server that answers with `model`, or `embeds` with it.

    `context` is in tokens for all `parallel` answers together.
    """
    numbers = (parallel, context, int(embeds))
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.llama_server", str(model), token, *map(str, numbers)],
        cwd=ROOT,
        env=os.environ | {"OMP_WAIT_POLICY": "passive"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        address = child.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), "llama.cpp's server did not start"
        yield address
    finally:
        child.stdin.close()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()


def main(model: str, token: str, parallel: str = "1", context: str = "0", embeds: str = "0") -> None:
    """Serve until nobody holds the other end of standard input."""
    import xllamacpp as module

    xllamacpp: Any = module  # compiled, without types

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = int(parallel)
    params.n_ctx = int(context)
    params.cpuparams.n_threads = 1
    if embeds == "1":
        params.embedding = True
    if token:
        params.api_keys = [token]
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # it has nothing to save, and waits for its connections otherwise


if __name__ == "__main__":
    main(*sys.argv[1:])
