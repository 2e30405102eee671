"""All crossings of two laws that are a power and a constant, against a search without algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.planning.crossings import find_zeros
from bootlaw.planning.power_parts import PowerPart
from bootlaw.planning.roots import crossings

LOW, HIGH = -20.0, 80.0


def part(ln_factor, exponent, constant):
    return PowerPart(*(np.array([[float(value)]]) for value in (ln_factor, exponent, constant)))


def searched(reuse, scratch):
    zeros = find_zeros(lambda _, x: reuse.loss(x) - scratch.loss(x), n_curves=1, low=LOW, high=HIGH)
    return (zeros.position[zeros.rising], zeros.position[~zeros.rising])


EXPONENTS = st.floats(-0.05, 0.6).filter(lambda x: abs(x) > 1e-3)
CONSTANTS = st.floats(0.0, 3.0)


def gap(reuse, scratch, at):
    """Return reuse less scratch in units of the rounding of a loss."""
    reference = reuse.loss(np.array([[at]]))
    return float(((reference - scratch.loss(np.array([[at]]))) / reference)[0, 0]) / 1e-15


@settings(deadline=None, max_examples=200)
@given(st.floats(-1, 5), EXPONENTS, CONSTANTS, st.floats(-1, 5), EXPONENTS, CONSTANTS)
def test_every_crossing_is_found_and_no_other(u, p, c, v, q, d):
    reuse, scratch = part(u, p, c), part(v, q, d)
    found = crossings(reuse, scratch)
    for own, expected in zip((found.rising, found.falling), searched(reuse, scratch), strict=True):
        at = float(own[0, 0])
        if LOW < at < HIGH:
            assert abs(gap(reuse, scratch, at)) < 1e4
            sides = [gap(reuse, scratch, at + step) for step in (-0.05, 0.05)]
            if (
                min(map(abs, sides)) > 1000
            ):  # a crossing that the search can see, with no other near
                assert np.sign(sides[0]) == np.sign(sides[1]) or expected.size == 1
        for position in expected:
            # Where both laws have come down to one constant, the search takes rounding for zeros.
            sides = [gap(reuse, scratch, position + step) for step in (-0.05, 0.05)]
            if min(map(abs, sides)) > 1000 and np.sign(sides[0]) != np.sign(sides[1]):
                assert at == pytest.approx(position, abs=1e-4)


def test_two_crossings_of_the_published_upcycling_law():
    ln_d1 = np.log(1e10)
    reuse = part(np.log(16.3) - 0.043 * ln_d1, 0.085 - 7.98e-4 * ln_d1, 0.165 + 8.53 * 1e9**-0.112)
    scratch = part(np.log(32.0), 0.161, 0.165 + 7.05 * 1e9**-0.080)
    found = crossings(reuse, scratch)
    assert np.exp(found.rising[0, 0]) == pytest.approx(7.1e9, rel=0.01)
    assert np.exp(found.falling[0, 0]) == pytest.approx(3.3e14, rel=0.02)


def test_the_closed_form_where_the_constants_are_equal():
    found = crossings(part(3.0, 0.1, 1.0), part(4.0, 0.3, 1.0))
    assert found.rising[0, 0] == pytest.approx(5.0, abs=1e-12)
    assert np.isnan(found.falling[0, 0])


def test_parallel_laws_do_not_cross():
    found = crossings(part(3.0, 0.1, 1.0), part(4.0, 0.1, 1.0))
    assert np.isnan(found.rising).all()
    assert np.isnan(found.falling).all()
