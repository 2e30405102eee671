import pytest

from bootlaw.errors import InputError
from bootlaw.growth.compose import Step
from bootlaw.growth.recommend import GOALS, recommend
from bootlaw.growth.request import GrowRequest, parse_step, step_text


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("stack", Step("stack")),
        ("stack:factor=2", Step("stack", {"factor": 2})),
        ("tile:factor=2,noise-db=10.5", Step("tile", {"factor": 2, "noise_db": 10.5})),
        ("widen-ffn:mode=zero", Step("widen_ffn", {"mode": "zero"})),
        (
            "upcycle:renormalise=no,noise=none",
            Step("upcycle", {"renormalise": False, "noise": None}),
        ),
    ],
)
def test_a_step_is_read_as_it_is_written(text, step):
    assert parse_step(text) == step
    assert parse_step(step_text(step)) == step


@pytest.mark.parametrize(
    "text", ["", ":factor=2", "stack:factor", "stack:factor=", "stack:factor=2,factor=3", "2stack"]
)
def test_other_texts_are_refused_with_how_to_write_them(text):
    with pytest.raises(InputError, match=r"write|written|twice"):
        parse_step(text)


@pytest.mark.parametrize("text", ["vocab", "stack:vocab_size=50000", "add-tokens:count=5"])
def test_another_vocabulary_is_refused_with_the_way_round(text):
    with pytest.raises(InputError, match="resize_token_embeddings"):
        parse_step(text)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"out": None}, "OUT"),
        ({"steps": ()}, "operator"),
        ({"goal": "wider"}, "either"),
        ({"check": "maybe"}, "auto, on, off"),
        ({"optimizer": "keep"}, "carry"),
        ({"target_params": 0}, "above 0"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(changes, says):
    parts = {"parent": "m", "out": "g", "steps": (Step("stack"),), **changes}
    with pytest.raises(InputError, match=says):
        GrowRequest(**parts)


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("layers", [1, 2, 22, 28, 32, 33])
def test_every_goal_has_an_operator_its_evidence_and_a_source(goal, layers):
    entry = recommend(goal)
    step = entry.step(layers)
    assert parse_step(step_text(step)) == step
    assert "arXiv" in entry.source
    assert all(entry.document(layers).values())
    if "layers" in step.arguments:
        assert layers % (step.arguments["layers"] - layers) == 0


def test_llama_pro_and_solar_come_out_as_published():
    assert recommend("add-domain-layers").step(32) == Step("identity", {"layers": 40})
    assert recommend("half-as-deep-again").step(32) == Step("overlap", {"drop": 8})


def test_a_misspelt_goal_gets_the_right_name():
    with pytest.raises(InputError, match="did you mean wider"):
        recommend("widerr")
