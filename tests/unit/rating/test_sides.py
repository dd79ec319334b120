"""Sides: even, fixed by their seed, and the same for ever."""

from itertools import pairwise

from scipy import stats

from codette_desktop.rating.sides import SEED_BITS, draw_seed, is_swapped


def test_sides_are_even_over_seeds_that_follow_each_other_and_over_drawn_ones() -> None:
    for seeds in (range(10_000), [draw_seed() for _ in range(10_000)]):
        swapped = sum(is_swapped(seed) for seed in seeds)
        assert stats.binomtest(swapped, 10_000, 0.5).pvalue > 1e-5


def test_one_side_tells_nothing_of_the_next() -> None:
    sides = [is_swapped(seed) for seed in range(10_000)]
    changes = sum(one != other for one, other in pairwise(sides))
    assert stats.binomtest(changes, 9_999, 0.5).pvalue > 1e-5


def test_a_seed_that_was_kept_gives_the_side_it_gave() -> None:
    # Votes are stored with their seed: another rule would contradict them.
    assert [is_swapped(seed) for seed in range(16)] == [bool(int(side)) for side in "0011011111111011"]
    assert is_swapped(2**63 - 1) == is_swapped(2**63 - 1)


def test_seeds_fit_the_database_and_differ() -> None:
    seeds = [draw_seed() for _ in range(1000)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**SEED_BITS for seed in seeds)
    assert SEED_BITS == 63
    assert max(seeds) > 2**60
