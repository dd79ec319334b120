"""Which of two answers stands on the left: drawn from a seed that is kept with the vote, so that anyone can redo it."""

import hashlib
import secrets

SEED_BITS = 63  # what an INTEGER of SQLite holds without a sign


def draw_seed() -> int:
    """A new seed from the system's randomness, 0 <= seed < 2**63. Nobody can foresee it, nor can the models."""
    return secrets.randbits(SEED_BITS)


def is_swapped(seed: int) -> bool:
    """Whether the pair's second contestant stands on the left: the lowest bit of the SHA-256 of the seed in decimal.

    The same on every machine and in every version of Python. Independent of whatever else is drawn from the seed.
    """
    return bool(hashlib.sha256(f"side:{seed}".encode()).digest()[0] & 1)
