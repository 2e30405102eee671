import json

import pytest

from bootlaw.errors import InputError
from bootlaw.studies import PRESETS, load_spec, parse_spec
from bootlaw.studies.spec import to_document


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_both_methods_and_those_to_conclude_from_have_replicates(preset):
    spec = load_spec(preset)
    assert spec.name == preset
    assert spec.cpt is not None
    assert spec.stack is not None
    assert preset == "smoke" or len(spec.seeds) + len(spec.replicates.seeds) >= 2


def test_a_file_and_its_document_agree(tmp_path, tiny_text):
    path = tmp_path / "mine.toml"
    path.write_text(tiny_text, "utf-8")
    spec = load_spec(str(path))
    assert spec.stack is not None
    assert spec.stack.factor == 2
    assert spec.tokens_per_step == 64
    assert json.loads(json.dumps(to_document(spec)))["optimizer"]["beta2"] == 0.95


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hidden_size = 8", "hiden_size = 8", r"unknown key model\.hiden_size; did you mean"),
        ("[stack]", "[stock]", r"unknown key stock; did you mean stack"),
        ("peak_lr = 1e-2", "", r"schedule\.peak_lr is missing"),
        ("batch_size = 4", 'batch_size = "four"', r"schedule\.batch_size must be a whole number"),
        ("context = 16", "context = 1.5", r"model\.context must be a whole number, found 1\.5"),
        ("layers = 1", "layers = true", r"model\.layers must be a whole number, found True"),
        ("tokens = [1280, 2560]", "tokens = []", "empty"),
        ("tokens = [1280, 2560]", "tokens = [0]", "above 0"),
        ("tokens = [1280, 2560]", "tokens = 1280", "must be a list"),
        ("seeds = [1]", "seeds = [0]", "repeats a seed"),
        # The same run counted as two independent draws, with a seed noise of zero.
        ("seeds = [1]", "seeds = [1, 1]", r"replicates\.seeds names a seed twice"),
        (
            'name = "tiny"',
            'name = "tiny"\nseeds = [0, 0]',
            r": seeds names a seed twice",
        ),
        # Another vocabulary was accepted and trained on bytes all the same.
        ("context = 16", "context = 16\nvocabulary = 50257", r"unknown key model\.vocabulary"),
        ("tokens_stage1 = [1280]", "tokens_stage1 = [7]", r"not in stage1\.tokens"),
        ("batch_size = 4", "batch_size = 4\ncooldown_fraction = 1.0", "between 0 and 1"),
        ('name = "tiny"', "name = ", "not valid TOML"),
        ("[stack]\ntokens", "[stack]\nfactor = 1\ntokens", "at least 2"),
    ],
)
def test_a_wrong_specification_is_refused_in_one_line_that_names_the_key(
    tiny_text, old, new, message
):
    with pytest.raises(InputError, match=message) as caught:
        parse_spec(tiny_text.replace(old, new, 1), "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert "\n" not in str(caught.value)


def test_whole_numbers_may_be_written_as_powers_of_ten(tiny_text):
    spec = parse_spec(tiny_text.replace("[1280, 2560]", "[1.28e3, 2560]"), "mine.toml")
    assert spec.stage1.tokens == (1280, 2560)


def test_a_study_without_a_second_stage_is_refused(tiny_text):
    head = tiny_text[: tiny_text.index("[cpt]")]
    with pytest.raises(InputError, match="needs a second stage"):
        parse_spec(head, "mine.toml")


def test_an_unknown_name_lists_the_presets():
    with pytest.raises(InputError, match="smoke, quick, full"):
        load_spec("quik")
