import numpy as np
import pytest

from bootlaw.errors import BootlawError, InputError
from bootlaw.training.checkpoint import (
    complete_steps,
    load_checkpoint,
    load_weights,
    prune_checkpoints,
    save_checkpoint,
)
from bootlaw.training.evaluation import HeldOutLoss, evaluate
from bootlaw.training.held_out import read_held_out
from bootlaw.training.loop import TrainState, advance
from bootlaw.training.model import build_model
from bootlaw.training.optimizer import OptimizerSpec, build_optimizer
from bootlaw.training.schedule import Cooldown, Trunk

OPTIMIZER = OptimizerSpec()


def fresh(tiny_model, seed=0):
    model = build_model(tiny_model.config(), seed)
    return TrainState(model, build_optimizer(model, OPTIMIZER), step=0)


def train(state, stream, until, schedule=None):
    advance(
        state,
        stream=stream,
        schedule=schedule or Trunk(0.01, 5),
        clip=1.0,
        until=until,
        after_step=lambda _: None,
    )
    return state


def weights(state):
    return {name: tensor.clone() for name, tensor in state.model.state_dict().items()}


def same(first, second):
    return all((first[name] == second[name]).all() for name in first)


def test_training_learns_and_a_cooldown_learns_more(tiny_model, word_stream, words):
    held_out = read_held_out(words, tiny_model.context, 4096).sequences
    state = fresh(tiny_model)
    start = evaluate(state.model, held_out).mean
    train(state, word_stream, 60)
    stable = evaluate(state.model, held_out).mean
    train(state, word_stream, 90, Cooldown(Trunk(0.01, 5), 60, 90))
    cooled = evaluate(state.model, held_out).mean
    assert start == pytest.approx(np.log(257), rel=0.02)
    assert stable < start - 1
    assert cooled < stable


@pytest.mark.parametrize("stop", [1, 7, 19])
def test_an_interrupted_run_ends_bit_for_bit_like_an_uninterrupted_one(
    tiny_model, word_stream, tmp_path, stop
):
    whole = train(fresh(tiny_model), word_stream, 20)

    first = train(fresh(tiny_model), word_stream, stop)
    save_checkpoint(tmp_path, stop, first.model, first.optimizer)
    resumed = fresh(tiny_model, seed=99)
    load_checkpoint(tmp_path, stop, resumed.model, resumed.optimizer)
    resumed.step = stop
    train(resumed, word_stream, 20)

    assert same(weights(whole), weights(resumed))


def test_loading_restores_the_moments(tiny_model, word_stream, tmp_path):
    """A raw optimiser state loads into a fresh AdamW without error and without moments."""
    state = train(fresh(tiny_model), word_stream, 3)
    save_checkpoint(tmp_path, 3, state.model, state.optimizer)
    loaded = fresh(tiny_model)
    load_checkpoint(tmp_path, 3, loaded.model, loaded.optimizer)

    before, after = state.optimizer.state, loaded.optimizer.state
    assert len(after) == len(before) > 0
    pairs = zip(before.values(), after.values(), strict=True)
    assert all((one["exp_avg_sq"] == other["exp_avg_sq"]).all() for one, other in pairs)


def test_weights_alone_leave_the_optimiser_fresh(tiny_model, word_stream, tmp_path):
    state = train(fresh(tiny_model), word_stream, 3)
    save_checkpoint(tmp_path, 3, state.model, state.optimizer)
    loaded = fresh(tiny_model, seed=1)
    load_weights(tmp_path, 3, loaded.model)
    assert same(weights(state), weights(loaded))
    assert not loaded.optimizer.state


def test_a_checkpoint_without_its_metadata_does_not_count(tiny_model, word_stream, tmp_path):
    """A writer killed half-way leaves shards and no metadata."""
    state = train(fresh(tiny_model), word_stream, 1)
    save_checkpoint(tmp_path, 1, state.model, state.optimizer)
    (tmp_path / "step-00000001" / ".metadata").unlink()
    assert complete_steps(tmp_path) == []
    with pytest.raises(InputError, match="not a complete checkpoint"):
        load_checkpoint(tmp_path, 1, state.model, state.optimizer)
    save_checkpoint(tmp_path, 1, state.model, state.optimizer)
    assert complete_steps(tmp_path) == [1]


def test_pruning_keeps_what_is_asked(tiny_model, word_stream, tmp_path):
    state = train(fresh(tiny_model), word_stream, 1)
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, state.model, state.optimizer)
    prune_checkpoints(tmp_path, keep={2})
    assert complete_steps(tmp_path) == [2]


def test_a_loss_that_is_not_finite_stops_the_run(tiny_model, word_stream):
    state = fresh(tiny_model)
    next(state.model.parameters()).data.fill_(float("nan"))
    with pytest.raises(BootlawError, match=r"lower schedule\.peak_lr"):
        train(state, word_stream, 1)


def test_weight_decay_spares_the_norm_gains(tiny_model):
    state = fresh(tiny_model)
    decayed, spared = state.optimizer.param_groups
    assert decayed["weight_decay"] == 0.1
    assert spared["weight_decay"] == 0
    assert all(parameter.ndim == 1 for parameter in spared["params"])


def test_paired_errors_leave_out_what_two_models_share():
    rng = np.random.default_rng(0)
    alone = np.arange(400)
    shared = rng.normal(2.0, 0.5, size=400).astype(np.float32)
    one = HeldOutLoss(shared)
    other = HeldOutLoss(shared + rng.normal(0, 0.01, size=400).astype(np.float32))
    assert one.standard_error(alone) == pytest.approx(0.5 / 20, rel=0.1)
    assert one.paired_error(other, alone) == pytest.approx(0.01 / 20, rel=0.1)


def test_sequences_of_one_document_count_as_one_draw():
    """Taken as independent, they made errors several times too small."""
    rng = np.random.default_rng(1)
    documents = np.repeat(np.arange(100), 16)
    level = rng.normal(2.0, 0.3, size=100)[documents]
    loss = HeldOutLoss((level + rng.normal(0, 0.1, size=1600)).astype(np.float32))
    assert loss.standard_error(documents) == pytest.approx(0.3 / 10, rel=0.2)
    assert loss.standard_error(np.arange(1600)) < 0.3 / 10 / 3
    assert np.isnan(loss.standard_error(np.zeros(1600, dtype=int)))


def test_evaluation_leaves_the_model_in_training_mode(tiny_model, words):
    model = build_model(tiny_model.config(), 0).train()
    evaluate(model, read_held_out(words, tiny_model.context, 1024).sequences)
    assert model.training
