"""Random choices that are the same for the same seed, on every machine and every Python."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


class Dice:
    """A generator for one *purpose* of one *seed*: more throws for one purpose do not change those for another.

    Only `Random.random` and `Random.getrandbits` stand behind it: their sequences are promised not to change between
    Python versions (docs of `random`, Notes on Reproducibility), those of choice and sample are not.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        random = Random(f"{seed}:{purpose}")  # noqa: S311  # sample data, and reproducible on purpose
        self.draw = random.random
        self.bits = random.getrandbits

    def chance(self, share: float) -> bool:
        """Return True in this share of the throws."""
        return self.draw() < share

    def below(self, limit: float) -> int:
        """Return an integer from 0 up to, but not including, *limit*."""
        return int(self.draw() * limit)

    def pick(self, pool: Sequence[T]) -> T:
        """Return one of *pool*."""
        return pool[int(self.draw() * len(pool))]

    def sample(self, pool: Sequence[T], count: int) -> list[T]:
        """Return *count* different items of *pool*, in the order of the pool."""
        places = list(range(len(pool)))
        chosen = sorted(places.pop(self.below(len(places))) for _ in range(count))
        return [pool[place] for place in chosen]

    def uuid(self) -> str:
        """Return a version 4 UUID as text."""
        return str(UUID(int=self.bits(128), version=4))
