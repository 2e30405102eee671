"""Formulas as typed: precedence, names, refusals that show the place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.laws import parse
from bootlaw.laws.canonical import canonical
from bootlaw.laws.expression import (
    FUNCTIONS,
    Expression,
    Number,
    Symbol,
    Variable,
    call,
    evaluate,
    largest,
    power,
    product,
    symbols,
    total,
    variables,
    walk,
)

VALUES = {"a": 0.7, "b": 1.3, "c": 2.1, "tokens_stage1": 3.0, "tokens_stage2": 5.0}


def value(text: str) -> float:
    return float(evaluate(parse(text), VALUES))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.3", 1.3),
        ("1e9 + .5", 1e9 + 0.5),
        ("2.5E-3", 2.5e-3),
        ("a + b*c", 0.7 + 1.3 * 2.1),
        ("a - b - c", 0.7 - 1.3 - 2.1),
        ("a - (b - c)", 0.7 - (1.3 - 2.1)),
        ("a/b/c", 0.7 / 1.3 / 2.1),
        ("a/(b*c)", 0.7 / (1.3 * 2.1)),
        ("a/b*c", 0.7 / 1.3 * 2.1),
        ("-a^b", -(0.7**1.3)),
        ("(-2)^2", 4.0),
        ("-2^2", -4.0),
        ("D1^-a", 3.0**-0.7),
        ("a^b^c", 0.7 ** (1.3**2.1)),
        ("(a^b)^c", (0.7**1.3) ** 2.1),
        ("a^-b^c", 0.7 ** -(1.3**2.1)),
        ("D1**-a*D2**2", 3.0**-0.7 * 25.0),
        ("--a", 0.7),
        ("-+-a", 0.7),
        ("a*-b", -0.7 * 1.3),
        ("exp(a)*log(D1) - ln(D2)", math.exp(0.7) * math.log(3) - math.log(5)),
        ("sqrt(b)", math.sqrt(1.3)),
        ("sin(a)+cos(a)+arctan(a)-atan(a)", math.sin(0.7) + math.cos(0.7)),
        ("max(a, b, D1)", 3.0),
        ("max(1, 2)", 2.0),
        ("D", 5.0),
        ("tokens_stage1/D2", 0.6),
        ("2*3/4 - 1.5", 0.0),
        (" a\n +\tb ", 2.0),
    ],
)
def test_formulas_mean_what_mathematics_says(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_a_short_name_in_backquotes_is_that_column_unless_the_table_has_one_called_so() -> None:
    assert parse("A*`D1`") == parse("A*D1")
    assert parse("A*`D1`", columns=["D1"]) == product(Symbol("A"), Variable("D1"))


def test_short_names_columns_and_backquotes_are_variables_all_else_parameters() -> None:
    tree = parse("A*D1^-a1 + N*U + x*lr + `odd name` + E", columns=["lr", "odd"])
    assert variables(tree) == ("tokens_stage1", "params", "unique_tokens", "lr", "odd name")
    assert symbols(tree) == ("A", "a1", "x", "E")
    assert parse("α*D^-β") == parse("α * D2 ** -β")
    assert symbols(parse("α*D^-β")) == ("α", "β")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the formula is empty"),
        ("  ", "the formula is empty"),
        ("A + ", r"character 5: a number, a name or a bracket is missing here: A \+ >>>\(end\)"),
        ("A*D1^", "is missing here"),
        ("2 D1", "character 3: an operator such as .* is missing before this: 2 >>>D1"),
        ("A D1", "an operator"),
        ("2x", "an operator"),
        ("(A + B", r"closing bracket is missing here: \(A \+ B>>>\(end\)"),
        ("A + B)", "an operator .*>>>\\)"),
        ("exp(A", "closing bracket"),
        ("exp()", "is missing here"),
        ("exp(A, B)", "exp takes one argument"),
        ("max(A)", "max takes two arguments"),
        ("log D1", "log needs its argument in brackets"),
        ("f(x)", "no function is called f.*a product is written f\\*"),
        ("A(D1)", "no function is called A"),
        ("L = A", "character 3: not part of a formula: L >>>= A"),
        ("A & B", "not part of a formula"),
        ("A + `lr", "not part of a formula"),
        ("__import__('os')", "not part of a formula"),
        ("A.b", "not part of a formula"),
        ("A[0]", "not part of a formula"),
        ("1/0", "no finite value"),
        ("A*log(-1)", "no finite value: A\\*>>>log"),
        ("A + log(0)", "no finite value"),
        ("exp(1000)*A", "no finite value"),
        ("1e308*10*A", "no finite value"),
        ("A*(0-8)^(1/3)", "no finite value"),
        ("1e999", "no finite value"),
        ("10^400", "no finite value"),
    ],
)
def test_what_is_no_formula_is_refused_at_its_place(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refusal:
        parse(text)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["(" * 500 + "A" + ")" * 500, "-" * 999 + "A", "A" + "^A" * 900, "exp(" * 300 + "A"]
)
def test_deep_formulas_are_refused_without_exhausting_the_stack(text: str) -> None:
    with pytest.raises(InputError, match="more than 50 levels"):
        parse(text)


def test_long_formulas_are_refused_and_long_sums_are_not_deep() -> None:
    with pytest.raises(InputError, match="has 2001 characters; at most 2000"):
        parse("A" + "+1" * 1000)
    assert len(symbols(parse("+".join(f"x{i}" for i in range(400))))) == 400


NAMES = st.sampled_from(["a", "b", "A", "E"])
LEAVES = st.one_of(
    st.floats(-1e6, 1e6, allow_subnormal=False).map(Number),
    st.sampled_from([Number(-1.0), Number(1.0), Number(0.5), Number(2.0)]),
    NAMES.map(Symbol),
    st.sampled_from(["tokens_stage1", "replay", "my column"]).map(Variable),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: total(*parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: product(*parts)),
        st.tuples(inner, inner).map(lambda pair: power(*pair)),
        inner.map(lambda part: power(part, Number(-1.0))),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner).map(lambda pair: call(*pair)),  # type: ignore[arg-type]
        st.tuples(inner, inner).map(lambda pair: largest(*pair)),
    ),
    max_leaves=12,
)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_the_canonical_text_reads_back_as_the_same_tree(tree: Expression) -> None:
    numbers = [part.value for part in walk(tree) if isinstance(part, Number)]
    # A negative zero is written, and read, as the product of -1 and 0.
    assume(all(np.isfinite(value) and (value or not np.signbit(value)) for value in numbers))
    text = canonical(tree)
    again = parse(text)
    assert again == tree
    assert canonical(again) == text


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_formula_or_refused_in_one_line(text: str) -> None:
    try:
        tree = parse(text)
    except InputError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017
        return
    everything = dict.fromkeys((*symbols(tree), *variables(tree)), 1.5)
    with np.errstate(all="ignore"):
        evaluate(tree, everything)
