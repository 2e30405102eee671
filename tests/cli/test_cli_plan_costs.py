"""The options that say what a plan costs."""

import argparse
import json

import pytest

from bootlaw.cli.plan import costs
from bootlaw.errors import InputError

CONFIG = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "vocab_size": 1000, "max_position_embeddings": 512,
}  # fmt: skip


def parsed(*words):
    parser = argparse.ArgumentParser()
    costs.add_shapes(parser)
    costs.add_hardware(parser)
    return parser.parse_args(words)


def test_options_overrule_what_is_known_of_the_device():
    ours = costs.hardware(parsed("--hardware", "h100", "--price", "1.5", "--devices", "64"))
    assert (ours.price, ours.devices, ours.watts, ours.mfu) == (1.5, 64, 700.0, 0.4)
    assert "price" not in ours.notes[0]


def test_options_overrule_a_file(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text('name = "h200"\nprice = 1.1\nmfu = 0.3\n')
    ours = costs.hardware(parsed("--hardware", str(file), "--mfu", "0.45"))
    assert (ours.price, ours.mfu, ours.notes) == (1.1, 0.45, ())


def test_the_models_config_gives_its_shape(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(CONFIG))
    shape = costs.shape(str(file), parsed("--sequence-length", "2k").sequence_length)
    assert (shape.layers, shape.sequence_length) == (2, 2000)


def test_without_the_options_nothing_is_assumed():
    assert costs.hardware(parsed()) is None
    assert costs.shape(parsed().model_config) is None


@pytest.mark.parametrize(
    ("words", "option"),
    [(("--price", "2"), "--price"), (("--devices", "8"), "--devices"),
     (("--overhead", "0.1"), "--overhead")],
)  # fmt: skip
def test_an_option_of_no_hardware_is_refused(words, option):
    with pytest.raises(InputError, match=f"{option} is a setting of hardware"):
        costs.hardware(parsed(*words))


def test_a_price_of_0_is_a_price():
    ours = costs.hardware(parsed("--hardware", "h100", "--price", "0"))
    assert ours.price == 0
    assert "price" not in ours.notes[0]


@pytest.mark.parametrize("words", [("--devices", "2.5"), ("--devices", "0"), ("--watts", "0")])
def test_half_a_device_and_no_power_are_refused(words, capsys):
    """2.5 devices were rounded to 2 without a word."""
    with pytest.raises(SystemExit):
        parsed("--hardware", "h100", *words)
    assert words[0] in capsys.readouterr().err
