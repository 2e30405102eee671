"""Training checkpoints that grow with Adam's state, and the runs that go on from them."""

import json
import math

import pytest
import torch

from bootlaw import grow, growth
from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.checkpoint import (
    is_training_checkpoint,
    open_training_checkpoint,
    training_writer,
    write_grown_training,
)
from bootlaw.growth.checkpoint.dcp import quiet_dcp
from bootlaw.growth.plan import GrowthPlan, MomentRecipe, MomentRule, Preservation
from bootlaw.growth.recipe import Affine, Copy, Zeros
from bootlaw.training.checkpoint import checkpoint_path, load_checkpoint, save_checkpoint
from bootlaw.training.loop import TrainState, advance, next_token_loss
from bootlaw.training.model import build_model
from bootlaw.training.optimizer import OptimizerSpec, build_optimizer
from bootlaw.training.schedule import Trunk

pytestmark = pytest.mark.train

STEPS = 12


def fresh(config):
    model = build_model(config, 1)
    return TrainState(model, build_optimizer(model, OptimizerSpec()), step=0)


def trained(state, stream, until, clip=math.inf):
    schedule = Trunk(peak_lr=3e-3, warmup_steps=4)
    advance(
        state,
        stream=stream,
        schedule=schedule,
        clip=clip,
        until=until,
        after_step=lambda _: None,
    )
    return state


@pytest.fixture
def parent_state(tiny_model, word_stream):
    return trained(fresh(tiny_model.config()), word_stream, STEPS)


@pytest.fixture
def parent(parent_state, tmp_path):
    folder = tmp_path / "parent"
    save_checkpoint(folder, STEPS, parent_state.model, parent_state.optimizer)
    return open_training_checkpoint(checkpoint_path(folder, STEPS))


def identity_on_top(parent):
    """One silent layer above the others: the same function, and an exact map of moments."""
    layers = parent.config["num_hidden_layers"]
    recipes = {name: Copy(name) for name in parent.names}
    moments = {name: MomentRecipe(Copy(name), Copy(name)) for name in parent.names}
    for name in parent.names:
        if f"layers.{layers - 1}." in name:
            new = name.replace(f"layers.{layers - 1}.", f"layers.{layers}.")
            zeros = Zeros(parent.shapes[name])
            silent = "o_proj" in name or "down_proj" in name
            recipes[new] = zeros if silent else Copy(name)
            moments[new] = MomentRecipe(zeros, zeros, keeps_step=False)
    return GrowthPlan(
        operator="identity",
        arguments={},
        config={**parent.config, "num_hidden_layers": layers + 1},
        recipes=recipes,
        preservation=Preservation.EXACT,
        source="test",
        moments=moments,
        moment_rule=MomentRule.EXACT,
    )


def stacked(parent):
    return growth.stack(growth.describe(parent.config, parent.shapes), factor=2)


def continued(folder, config):
    keys = ("model_type", "use_cache", "architectures", "transformers_version", "dtype")
    state = fresh({key: value for key, value in config.items() if key not in keys})
    load_checkpoint(folder, 0, state.model, state.optimizer)
    return state


def adam(state):
    names = {parameter: name for name, parameter in state.model.named_parameters()}
    return {names[parameter]: found for parameter, found in state.optimizer.state.items()}


def test_a_training_checkpoint_reads_as_it_was_written(parent, parent_state):
    weights = dict(parent_state.model.state_dict())
    assert set(parent.names) == set(weights)
    assert set(parent.dtypes.values()) == {"float32"}
    for name, state in adam(parent_state).items():
        assert torch.equal(parent.read(name), weights[name])
        assert torch.equal(parent.read(name, slice(1, 3)), weights[name][1:3])
        assert torch.equal(parent.read_moment("exp_avg_sq", name), state["exp_avg_sq"])
        assert parent.read_moment("step", name) == STEPS
        assert parent.has_moments(name)
    assert not parent.has_moments("nothing")
    assert parent.config["hidden_size"] == parent_state.model.config.hidden_size


def test_carried_moments_go_where_their_weights_go(parent, parent_state, tmp_path):
    plan = stacked(parent)
    done = write_grown_training(plan, parent, checkpoint_path(tmp_path, 0), optimizer="carry")
    assert done == "carry"
    grown = continued(tmp_path, plan.config)

    old_weights, old_moments = dict(parent_state.model.state_dict()), adam(parent_state)
    for name, parameter in grown.model.named_parameters():
        source = plan.recipes[name].source
        assert torch.equal(parameter, old_weights[source])
        for key in ("exp_avg", "exp_avg_sq", "step"):
            assert torch.equal(adam(grown)[name][key], old_moments[source][key])
    decayed = [group["weight_decay"] for group in grown.optimizer.param_groups]
    assert decayed == [OptimizerSpec().weight_decay, 0.0]


@pytest.mark.parametrize("policy", ["reset", "reset+warmup", "auto"])
def test_a_reset_is_a_new_optimiser(parent, tmp_path, policy):
    plan = stacked(parent)
    done = write_grown_training(plan, parent, checkpoint_path(tmp_path, 0), optimizer=policy)
    assert done == ("reset" if policy == "reset" else "reset+warmup")
    for state in adam(continued(tmp_path, plan.config)).values():
        assert not any(bool(state[key].any()) for key in ("exp_avg", "exp_avg_sq", "step"))


def test_new_layers_start_their_own_count_and_the_others_go_on(parent, tmp_path):
    plan = identity_on_top(parent)
    assert write_grown_training(plan, parent, checkpoint_path(tmp_path, 0)) == "carry"
    for name, state in adam(continued(tmp_path, plan.config)).items():
        new = "layers.2." in name
        assert state["step"] == (0 if new else STEPS)
        assert bool(state["exp_avg"].any()) is not new


def test_a_grown_run_goes_on_where_its_parent_stood(parent, parent_state, tmp_path, word_stream):
    """With an exact map the old weights' next update is the one the parent would have made."""
    plan = identity_on_top(parent)
    write_grown_training(plan, parent, checkpoint_path(tmp_path, 0))
    grown = continued(tmp_path, plan.config)
    grown.step = STEPS
    tokens = torch.from_numpy(word_stream.batch(STEPS))
    assert next_token_loss(grown.model, tokens) == next_token_loss(parent_state.model, tokens)

    trained(grown, word_stream, STEPS + 1)
    trained(parent_state, word_stream, STEPS + 1)

    after = dict(grown.model.state_dict())
    for name, weight in parent_state.model.state_dict().items():
        torch.testing.assert_close(after[name], weight, rtol=0, atol=1e-7)
    assert bool(after["model.layers.2.mlp.down_proj.weight"].any())


@pytest.mark.parametrize("policy", ["carry", "reset+warmup"])
def test_a_stacked_run_learns_on(parent, tmp_path, word_stream, policy):
    plan = stacked(parent)
    write_grown_training(plan, parent, checkpoint_path(tmp_path, 0), optimizer=policy)
    grown = continued(tmp_path, plan.config)
    tokens = torch.from_numpy(word_stream.batch(300))
    before = next_token_loss(grown.model, tokens).item()
    trained(grown, word_stream, 40, clip=1.0)
    assert next_token_loss(grown.model, tokens).item() < before - 0.3


def test_what_is_built_is_scaled_like_its_weights(parent, tmp_path):
    name = "model.norm.weight"
    recipes = {each: Copy(each) for each in parent.names}
    moments = {each: MomentRecipe(Copy(each), Copy(each)) for each in parent.names}
    recipes[name] = Affine(Copy(name), 3.0)
    moments[name] = MomentRecipe(Affine(Copy(name), 1 / 3), Affine(Copy(name), 1 / 9))
    plan = GrowthPlan(
        operator="scale",
        arguments={},
        config=parent.config,
        recipes=recipes,
        preservation=Preservation.APPROXIMATE,
        source="test",
        moments=moments,
    )
    write_grown_training(plan, parent, tmp_path / "out", optimizer="carry")
    grown = open_training_checkpoint(tmp_path / "out")
    assert torch.equal(grown.read(name), (parent.read(name).double() * 3).float())
    for kind, factor in (("exp_avg", 1 / 3), ("exp_avg_sq", 1 / 9)):
        expected = (parent.read_moment(kind, name).double() * factor).float()
        assert torch.equal(grown.read_moment(kind, name), expected)


def test_a_large_state_goes_into_many_files_and_reads_the_same(parent, tmp_path, monkeypatch):
    plan = stacked(parent)
    write_grown_training(plan, parent, tmp_path / "one", optimizer="carry")
    monkeypatch.setattr(training_writer, "_ONE_FILE", 0)
    write_grown_training(plan, parent, tmp_path / "many", optimizer="carry")
    one, many = (open_training_checkpoint(tmp_path / name) for name in ("one", "many"))
    assert len(list((tmp_path / "many").glob("*.distcp"))) > len(plan.recipes)
    assert one.shapes == many.shapes
    name = "model.layers.3.mlp.down_proj.weight"
    assert torch.equal(one.read(name), many.read(name))
    assert torch.equal(one.read_moment("exp_avg", name), many.read_moment("exp_avg", name))


def test_what_fails_leaves_nothing(parent, tmp_path, monkeypatch):
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.api import CheckpointException

    def full(*_, **__):
        raise CheckpointException("save", {0: (OSError(28, "No space left on device"), None)})

    monkeypatch.setattr(dcp, "save", full)
    with pytest.raises(BootlawError, match="No space left on device; nothing was left"):
        write_grown_training(stacked(parent), parent, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["parent"]


def test_moments_that_no_map_carries_are_refused(parent, tmp_path):
    from dataclasses import replace

    plan = replace(stacked(parent), moments=None)
    with pytest.raises(InputError, match="no map of Adam's moments"):
        write_grown_training(plan, parent, tmp_path / "out", optimizer="carry")
    with pytest.raises(InputError, match="one of auto, carry, reset"):
        write_grown_training(plan, parent, tmp_path / "out", optimizer="keep")
    assert write_grown_training(plan, parent, tmp_path / "out") == "reset+warmup"


def test_a_checkpoint_without_its_configuration_says_what_to_do(parent):
    config = parent.folder / "config.json"
    kept = json.loads(config.read_text())
    config.unlink()
    assert is_training_checkpoint(parent.folder)
    with pytest.raises(InputError, match=r"no config\.json, so nothing says what model"):
        open_training_checkpoint(parent.folder)
    assert open_training_checkpoint(parent.folder, kept).shapes == parent.shapes


def test_a_checkpoint_half_written_is_refused(parent):
    (parent.folder / ".metadata").write_bytes(b"")
    with pytest.raises(BootlawError, match="damaged checkpoint"):
        open_training_checkpoint(parent.folder)
    (parent.folder / ".metadata").unlink()
    with pytest.raises(InputError, match="not a complete checkpoint"):
        open_training_checkpoint(parent.folder)


def saved(parent_state, folder, keep):
    """A checkpoint with the optimiser's state of those parameters only that `keep` names."""
    from torch.distributed.checkpoint.state_dict import get_state_dict

    model, optimizer = get_state_dict(parent_state.model, parent_state.optimizer)
    state = {"model": model}
    if keep is not None:
        kept = {name: each for name, each in optimizer["state"].items() if keep(name)}
        state["optimizer"] = {**optimizer, "state": kept}
    with quiet_dcp() as dcp:
        dcp.save(state, checkpoint_id=str(folder))
    (folder / "config.json").write_text(parent_state.model.config.to_json_string())
    return open_training_checkpoint(folder)


def test_weights_saved_without_their_optimiser_grow_without_one(parent_state, tmp_path):
    """It ended in a KeyError."""
    parent = saved(parent_state, tmp_path / "weights", keep=None)
    assert write_grown_training(stacked(parent), parent, tmp_path / "out") == "reset+warmup"
    grown = open_training_checkpoint(tmp_path / "out")
    assert len(grown.names) > len(parent.names)
    assert not grown.has_optimizer
    with pytest.raises(InputError, match="no optimiser state to carry"):
        write_grown_training(stacked(parent), parent, tmp_path / "other", optimizer="carry")


def test_parameters_that_were_frozen_start_their_moments_at_zero(parent_state, tmp_path):
    """A frozen parameter has no state; that was a KeyError too."""
    parent = saved(parent_state, tmp_path / "part", keep=lambda name: "layers.1." not in name)
    plan = identity_on_top(parent)
    assert write_grown_training(plan, parent, checkpoint_path(tmp_path, 0)) == "carry"
    for name, state in adam(continued(tmp_path, plan.config)).items():
        started = "layers.1." in name or "layers.2." in name
        assert state["step"] == (0 if started else STEPS)
        assert bool(state["exp_avg"].any()) is not started


@pytest.mark.parametrize("operator", ["identity", "stack"])
def test_the_script_of_the_card_loads_weights_and_moments(parent, tmp_path, monkeypatch, operator):
    """transformers cannot read the format; the script asked it to."""
    grow(parent.folder, tmp_path / "grown", op=operator, check="off")
    card = (tmp_path / "grown" / "README.md").read_text()
    script = card.partition("```python\n")[2].partition("\nsteps = ")[0]
    script = script.replace("PEAK_LR = ...", "PEAK_LR = 1e-3")
    monkeypatch.chdir(tmp_path)
    found = {}
    with quiet_dcp():
        exec(script, found)
    grown = open_training_checkpoint(tmp_path / "grown")
    for name, parameter in found["model"].named_parameters():
        assert torch.equal(parameter, grown.read(name))
        if operator == "identity":
            state = found["optimizer"].state[parameter]
            assert torch.equal(state["exp_avg"], grown.read_moment("exp_avg", name))
            assert state["step"] == grown.read_moment("step", name)
    assert ("optimizer" in found) == (operator == "identity")
    assert ("optimizers=(optimizer, None)" in card) == (operator == "identity")
