"""A user's formula as a law: kinds of parameters, keys, equality with the catalogue."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from typical import grid, typical_vector

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.laws.canonical import canonical
from bootlaw.laws.names import USUAL_PARAMETERS

MAIN = "A*D1^-a1*D2^(-a2+a3*log(D1)) + B*N^-b + E"


def kinds(law: laws.Law) -> dict[str, str]:
    return {parameter.name: parameter.kind for parameter in law.parameters}


def test_kinds_follow_from_names_and_places() -> None:
    law = laws.from_formula(MAIN)
    assert law.names == ("A", "a1", "a2", "a3", "B", "b", "E")
    assert law.irreducible == "E"
    assert kinds(law) == {
        "A": "coefficient", "a1": "exponent", "a2": "exponent", "a3": "exponent",
        "B": "coefficient", "b": "exponent", "E": "irreducible",
    }  # fmt: skip
    assert [parameter.sign for parameter in law.parameters[1:4]] == [0, 0, 0]


def test_the_constant_is_last_whatever_its_name_and_place() -> None:
    law = laws.from_formula("L0 + A*D^-a")
    assert law.names == ("A", "a", "L0")
    assert law.irreducible == "L0"


@pytest.mark.parametrize(
    "formula",
    [
        "A*D^-a",
        "b0 + b1*D^s",
        "A*D^-a + E*D^0.5",
        "A*D^-a + E + F",
        "E*D^-a + E",
        "reuse: A*D1^-a + E; scratch: A_s*D^-a_s + E_s",
    ],
)
def test_without_one_constant_of_the_whole_there_is_no_irreducible_loss(formula: str) -> None:
    law = laws.from_formula(formula)
    assert law.irreducible is None
    assert "irreducible" not in kinds(law).values()


@pytest.mark.parametrize("key", [key for key in laws.names() if "+" not in key])
def test_a_formula_equal_to_a_catalogue_law_gives_equal_values(key: str) -> None:
    law = laws.get(key)
    own = laws.from_formula(canonical(law.parts[0].expression))
    params = typical_vector(law)
    columns = grid(law)
    # A letter's case decides the kind, so a k that must be positive is free in a user's formula.
    mine = [params[law.index(name)] for name in own.names]
    np.testing.assert_allclose(own.loss(mine, columns), law.loss(params, columns), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "columns", "key"),
    [
        ("A*D^-a+E", (), "formula:A*D2^-a + E"),
        ("A * D2 ** -a + E", (), "formula:A*D2^-a + E"),
        ("A*D^-a + x*lr + E", ("lr",), "formula:A*D2^-a + x*`lr` + E"),
        ("A*`my; odd: name`^-a", (), "formula:A*`my; odd: name`^-a"),
        ("A*`exp`^-a", (), "formula:A*`exp`^-a"),
        (
            "scratch: A_s*D^-a_s + E; reuse : A*D1^-a + E",
            (),
            "formula:reuse: A*D1^-a + E; scratch: A_s*D2^-a_s + E",
        ),
    ],
)
def test_the_key_restores_the_law(text: str, columns: tuple[str, ...], key: str) -> None:
    law = laws.from_formula(text, columns=columns)
    assert law.key == key
    assert laws.get(key) == law
    assert laws.get(f"formula:{key.removeprefix('formula:')} + 0") == law
    assert pickle.loads(pickle.dumps(law)) == law


def test_a_key_in_any_spelling_gives_the_law() -> None:
    assert laws.get("formula:A*D^-a+E") == laws.from_formula("A*D2^-a + E")


def test_two_parts_share_parameters_by_name() -> None:
    law = laws.from_formula("reuse: A*D1^-a1*D2^(-a2+a3*ln(D1)) + E; scratch: A_s*D^-a_s + E")
    joint = laws.get("bootstrapped+scratch")
    assert law.names == joint.names
    assert law.has_scratch_part
    assert law.irreducible == "E"
    np.testing.assert_array_equal(
        law.loss(typical_vector(joint), grid(joint)), joint.loss(typical_vector(joint), grid(joint))
    )


@pytest.mark.parametrize(
    "text",
    [
        "reuse: A*D1^-a + E; A*D^-a",
        "A; B",
        "reuse: A; reuse: B",
        "reuse: A; scratch: B; scratch: C",
        "fresh: A; scratch: B",
    ],
)
def test_parts_are_reuse_and_scratch(text: str) -> None:
    with pytest.raises(InputError, match="'reuse: FORMULA; scratch: FORMULA'"):
        laws.from_formula(text)


def test_a_formula_of_columns_alone_has_nothing_to_fit() -> None:
    with pytest.raises(InputError, match="no parameter"):
        laws.from_formula("D1 + D2^2")


def test_text_of_a_formula() -> None:
    law = laws.from_formula("A*D^-alpha_s + sqrt(lr*`odd name`)/gamma1 + E", columns=["lr"])
    assert law.formula == "L = A D2^-alpha_s + (lr odd name)^0.5 / gamma1 + E"
    assert r"D_2^{-\alpha_s}" in law.latex
    assert r"\frac{" in law.latex
    assert r"\gamma_1" in law.latex


def test_a_formula_gets_a_scratch_part_that_its_key_restores():
    """The key of the joint law read back as a formula with a parameter called scratch."""
    joint = laws.with_scratch(laws.from_formula("A*D1^-a*D2^-b + E"))
    assert laws.get(joint.key) == joint
    assert joint.names == ("A", "a", "b", "A_s", "a_s", "E")
    rows = {"tokens_stage1": [0.0, 1e9], "tokens_stage2": [1e9, 1e9]}
    expected = [3 * 1e9**-0.2 + 1, 2 * 1e9**-0.1 * 1e9**-0.1 + 1]
    np.testing.assert_allclose(joint.loss([2, 0.1, 0.1, 3, 0.2, 1], rows), expected)


def test_usual_parameters_are_those_of_the_catalogue() -> None:
    found = {p.name for key in laws.names() for p in laws.get(key).parameters}
    assert found == USUAL_PARAMETERS


def test_a_column_called_as_a_parameter_is_must_be_said_to_be_one() -> None:
    """A column E silently took the place of the constant."""
    with pytest.raises(InputError, match=r"E is a usual name of a parameter.*`E` in backquotes"):
        laws.from_formula("A*D1^-a1 + E", columns=["E"])
    law = laws.from_formula("A*D1^-a1 + `E`*c0", columns=["E"])
    assert law.variables == ("tokens_stage1", "E")
    assert laws.from_formula("A*x^-p + E", columns=["x"]).variables == ("x",)
