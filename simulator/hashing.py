"""Random numbers as a pure function of a seed and what they are for, vectorised.

A value depends on its keys alone (device, day, quarter hour), never on what was drawn before.
So a run may start at any time, in any chunk size, and still gives the same readings.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Keys = NDArray[np.uint64]

MASK = (1 << 64) - 1
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MULTIPLIER = np.uint64(0x94D049BB133111EB)


def text_key(text: str) -> int:
    """A text as a 64-bit key, the same on every machine (BLAKE2b, 8 bytes, little endian)."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def text_keys(texts: tuple[str, ...]) -> Keys:
    """One key a text, shape (len(texts),)."""
    return np.array([text_key(text) for text in texts], dtype=np.uint64)


def scramble(values: Keys) -> Keys:
    """The finaliser of SplitMix64: every input bit changes about half of the output bits.

    Source: Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, 2014.
    """
    mixed = values + GOLDEN
    mixed ^= mixed >> np.uint64(30)
    mixed *= FIRST_MULTIPLIER
    mixed ^= mixed >> np.uint64(27)
    mixed *= SECOND_MULTIPLIER
    mixed ^= mixed >> np.uint64(31)
    return mixed


def draw(seed: int, purpose: str, *keys: NDArray[np.generic]) -> Keys:
    """64 random bits for each combination of keys, broadcast against each other.

    Put the keys with few values first: each further key is mixed into the result so far.
    """
    bits = np.array([(text_key(purpose) ^ (seed & MASK)) & MASK], dtype=np.uint64)
    for key in keys:
        bits = scramble(bits ^ (np.asarray(key).astype(np.uint64) * FIRST_MULTIPLIER))
    return bits


def uniform(bits: Keys) -> Floats:
    """The bits as numbers in [0, 1), from their upper 53."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def bell(bits: Keys) -> Floats:
    """The bits as numbers in (-1, 1) with mean 0 and standard deviation 1/sqrt(6).

    The difference of two uniform numbers: a triangular distribution.
    """
    upper = (bits >> np.uint64(32)).astype(np.float64)
    lower = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64)
    return (upper - lower) * 2.0**-32
