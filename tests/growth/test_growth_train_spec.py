import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.growth.onward.train_spec import (
    SETTINGS,
    TrainSpec,
    frozen_names,
    read_train_spec,
    train_toml,
)

GIVEN = {
    "model.checkpoint": ".",
    "model.dtype": "bfloat16",
    "model.sequence_length": 2048,
    "model.frozen": (),
    "data.seed": 0,
    "optimizer.name": "adamw",
    "optimizer.state": "reset",
    "optimizer.beta1": 0.9,
    "optimizer.beta2": 0.95,
    "optimizer.weight_decay": 0.1,
    "optimizer.clip": 1.0,
    "schedule.shape": "warmup-stable-decay",
    "schedule.warmup_steps": 40,
    "schedule.cooldown_fraction": 0.2,
}
SWEEP = {"schedule.peak_lr": (1e-3, 3e-4), "schedule.batch_tokens": (65536, 131072)}
OPEN = {"data.text": "which text?", "data.tokens": "how many?"}


def spec(**changes):
    parts = {"given": GIVEN, "sweep": SWEEP, "open": OPEN, "reasons": {}, **changes}
    return TrainSpec("grown", **parts)


def without(name):
    return {key: value for key, value in GIVEN.items() if key != name}


def written(tmp_path, text):
    path = tmp_path / "train.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_reads_back(tmp_path):
    whole = spec(reasons={"schedule.peak_lr": 'the "parent\'s" rate, \\ and more: é'})
    assert read_train_spec(written(tmp_path, train_toml(whole, "two\nlines"))) == whole


@given(
    name=st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    rate=st.floats(1e-12, 1e3),
    decay=st.floats(0, 10),
    frozen=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=10), max_size=3),
)
def test_any_name_and_number_reads_back(tmp_path_factory, name, rate, decay, frozen):
    changed = {**GIVEN, "optimizer.weight_decay": decay, "model.frozen": tuple(frozen)}
    whole = TrainSpec(name, changed, {**SWEEP, "schedule.peak_lr": (rate,)}, OPEN)
    path = written(tmp_path_factory.mktemp("spec"), train_toml(whole))
    found = read_train_spec(path)
    assert found.given["optimizer.weight_decay"] == pytest.approx(decay, rel=1e-14)
    assert found.sweep["schedule.peak_lr"][0] == pytest.approx(rate, rel=1e-14)
    assert (found.name, found.given["model.frozen"]) == (name, tuple(frozen))


def test_the_file_is_plain_toml_with_a_table_for_each_room():
    document = tomllib.loads(train_toml(spec()))
    assert document["schedule"]["warmup_steps"] == 40
    assert document["sweep"]["schedule.peak_lr"] == [1e-3, 3e-4]
    assert document["open"] == OPEN


def test_a_file_is_ready_once_nothing_is_open_and_every_sweep_has_one_value():
    assert not spec().ready
    answered = {**GIVEN, "data.text": ("books",), "data.tokens": 10**9}
    one = {"schedule.peak_lr": (1e-3,), "schedule.batch_tokens": (65536,)}
    assert spec(given=answered, open={}, sweep=one).ready


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_nowhere_is_named(name):
    parts = {
        part: {key: value for key, value in values.items() if key != name}
        for part, values in (("given", GIVEN), ("sweep", SWEEP), ("open", OPEN))
    }
    with pytest.raises(InputError, match=f"{name} is missing"):
        spec(**parts)


def test_a_setting_in_two_places_is_refused():
    with pytest.raises(InputError, match="given and in sweep"):
        spec(given={**GIVEN, "schedule.peak_lr": 1e-3})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("optimizer.beta1", 1.0, "below 1"),
        ("optimizer.clip", 0.0, "above 0"),
        ("optimizer.weight_decay", -0.1, "at least 0"),
        ("optimizer.weight_decay", float("nan"), "found nan"),
        ("schedule.warmup_steps", 1.5, "a whole number"),
        ("schedule.warmup_steps", True, "found True"),
        ("schedule.shape", "cosine", "one of warmup-stable-decay"),
        ("model.sequence_length", "long", "a whole number"),
        ("model.frozen", (1,), "list of texts"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name, value, says):
    with pytest.raises(InputError, match=says) as raised:
        spec(given={**GIVEN, name: value})
    assert name in str(raised.value)


def test_swept_values_are_checked_too():
    with pytest.raises(InputError, match="above 0, found 0"):
        spec(sweep={**SWEEP, "schedule.peak_lr": (1e-3, 0.0)})
    with pytest.raises(InputError, match="is empty"):
        spec(sweep={**SWEEP, "schedule.peak_lr": ()})


def test_a_misspelt_setting_gets_the_right_name():
    with pytest.raises(InputError, match=r"did you mean schedule\.warmup_steps"):
        spec(given={**without("schedule.warmup_steps"), "schedule.warmup_step": 40})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format = 2\n", "format = 1"),
        ("format = 1\nmodel = 3\n", "model must be a table"),
        ("format = 1\n[sweep]\n'schedule.peak_lr' = 1e-3\n", "must be a list"),
        ("format = \n", "cannot be read as TOML"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, says):
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=says) as raised:
        read_train_spec(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_train_spec(tmp_path / "train.toml")


NAMES = ["model.embed.weight", "model.layers.1.up.weight", "model.layers.11.up.weight"]


def test_frozen_patterns_match_whole_names():
    only_new = {**GIVEN, "model.frozen": (r"(?!model\.layers\.(?:1)\.).*",)}
    assert frozen_names(spec(given=only_new), NAMES) == [NAMES[0], NAMES[2]]
    assert frozen_names(spec(), NAMES) == []


@pytest.mark.parametrize("pattern", ["layers", "(", r"model\.layers\.7\..*"])
def test_a_pattern_that_freezes_nothing_is_refused(pattern):
    with pytest.raises(InputError, match=r"model\.frozen"):
        frozen_names(spec(given={**GIVEN, "model.frozen": (pattern,)}), NAMES)
