from dataclasses import replace
from pathlib import Path

import pytest

from bootlaw.errors import InputError
from bootlaw.studies import load_spec
from bootlaw.studies.fingerprint import fingerprint
from bootlaw.studies.graph import build_graph, derive_seed
from bootlaw.studies.grid import plan_grid, text_needed
from bootlaw.studies.nodes import TextFiles
from bootlaw.studies.plan import separate_tokens, total_work
from bootlaw.studies.spec import Levels, ReplicateSpec, StackLevels
from bootlaw.training.stream import CHUNK


def texts(first=10**9, second=10**9, names=("prose", "code")):
    return {
        key: TextFiles(key, name, f"hash of {key}", Path("train"), Path("held"), tokens, 10**7)
        for key, name, tokens in zip(("stage1", "cpt"), names, (first, second), strict=True)
    }


def graph_of(spec, **sizes):
    return build_graph(spec, plan_grid(spec, texts(**sizes)))


def test_every_cell_of_the_grid_is_there_once(tiny_spec):
    graph = graph_of(tiny_spec)
    keys = [(c.run, c.data2) for c in graph.cells]
    assert len(set(keys)) == len(keys)
    cells = [
        (c.method, c.model.layers, c.steps_stage1, c.steps_stage2, c.seed) for c in graph.cells
    ]
    for method, layers in (("cpt", 1), ("stack", 2)):
        for steps_stage1 in (20, 40):
            for steps_stage2 in (10, 20):
                assert (method, layers, steps_stage1, steps_stage2, 0) in cells
        assert (method, layers, 20, 10, 1) in cells
        assert (method, layers, 40, 10, 1) not in cells
    for layers in (1, 2):
        assert ("scratch", layers, 0, 10, 0) in cells
        assert ("scratch", layers, 0, 10, 1) in cells


def test_shared_prefixes_exist_once(tiny_spec):
    graph = graph_of(tiny_spec)
    assert len({node.id for node in graph.nodes}) == len(graph.nodes)
    bases = [node for node in graph.nodes if node.label == "base-s0"]
    assert len(bases) == 1
    assert {20, 40} <= set(bases[0].checkpoints)
    separate = separate_tokens(graph.cells, tiny_spec.tokens_per_step)
    assert total_work(graph).tokens < 0.7 * separate


def test_parents_come_before_children_and_hold_the_checkpoint(tiny_spec):
    graph = graph_of(tiny_spec)
    seen = {}
    for node in graph.nodes:
        parent = node.spec.parent
        if parent is not None:
            assert parent.step in seen[parent.run].checkpoints
        seen[node.id] = node


def test_more_levels_add_runs_and_keep_the_ids_of_the_old_ones(tiny_spec):
    before = {node.id for node in graph_of(tiny_spec, first=65_537, second=65_537).nodes}
    more = replace(
        tiny_spec,
        stage1=Levels((1280, 2560, 100_000)),
        cpt=Levels((640, 960, 1280, 200_000)),
        stack=StackLevels((640, 1280, 30_000)),
        seeds=(0, 2),
    )
    needed = text_needed(more)
    after = {node.id for node in graph_of(more, first=needed["stage1"], second=needed["cpt"]).nodes}
    assert before < after


def test_the_text_asked_for_holds_the_longest_levels(tiny_spec):
    for longest in (70_000, 99_968, 300_000):
        spec = replace(tiny_spec, stage1=Levels((1280, longest)), cpt=Levels((longest,)))
        needed = text_needed(spec)
        grid = plan_grid(spec, texts(first=needed["stage1"], second=needed["cpt"]))
        assert grid.notes == ()
        assert grid.stage1[-1] == grid.cpt[-1] == round(longest / 64)
        less = plan_grid(spec, texts(first=needed["stage1"] - 1, second=needed["cpt"] - 1))
        assert len(less.notes) == 2


def test_the_names_of_the_texts_are_in_the_rows_and_not_in_the_ids(tiny_spec):
    """Renaming a file trained everything again."""
    one = build_graph(tiny_spec, plan_grid(tiny_spec, texts()))
    other = build_graph(tiny_spec, plan_grid(tiny_spec, texts(names=("novels", "laws"))))
    assert [node.id for node in one.nodes] == [node.id for node in other.nodes]
    assert {cell.data2 for cell in one.cells} == {"prose", "code"}
    assert {cell.data2 for cell in other.cells} == {"novels", "laws"}


def test_unique_tokens_of_a_row_do_not_change_when_the_text_grows(tiny_spec):
    small, large = graph_of(tiny_spec, first=65_537, second=65_537), graph_of(tiny_spec)
    assert [cell.unique_tokens for cell in small.cells] == [c.unique_tokens for c in large.cells]
    for cell in small.cells:
        assert cell.unique_tokens >= cell.steps_stage2 * tiny_spec.tokens_per_step


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": {"weight_decay": 0.2}},
        {"schedule": {"peak_lr": 0.02}},
        {"model": {"intermediate_size": 16}},
    ],
)
def test_what_changes_the_loss_curve_changes_the_ids(tiny_spec, change):
    ((name, values),) = change.items()
    other = replace(tiny_spec, **{name: replace(getattr(tiny_spec, name), **values)})
    before = {node.id for node in graph_of(tiny_spec).nodes}
    assert before.isdisjoint({node.id for node in graph_of(other).nodes})


def test_second_stages_of_one_seed_read_the_same_text_whatever_their_base(tiny_spec):
    graph = graph_of(tiny_spec)
    streams = {}
    for cell in graph.cells:
        if cell.method == "stack" and cell.seed == 0:
            node = graph.node(cell.run)
            streams.setdefault(cell.seed, set()).add(node.spec.stream)
    assert all(len(found) == 1 for found in streams.values())


def test_base_and_second_stage_never_read_the_same_tokens(tiny_spec):
    graph = graph_of(tiny_spec)
    base = next(node for node in graph.nodes if node.label == "base-s0").spec.stream
    stack = next(node for node in graph.nodes if node.label.startswith("stack-")).spec.stream
    assert base.text_fingerprint == stack.text_fingerprint
    assert (base.share, stack.share) == ("bases", "second")


FOUR_CHUNKS = 4 * CHUNK * 16 + 1
"""Text of which three chunks are for bases of the tiny study, and one for stacking."""


def test_levels_are_capped_at_the_unique_text_and_it_says_so(tiny_spec):
    long = replace(tiny_spec, stage1=Levels((1280, 40_000)))
    grid = plan_grid(long, texts(first=FOUR_CHUNKS))
    assert grid.stage1 == (20, 3 * CHUNK // 4)
    assert any("nothing is repeated, the longest run has 24,576" in note for note in grid.notes)


def test_the_note_on_a_cap_names_the_longest_run_where_none_was_added(tiny_spec):
    """It said that runs were capped at the end of the text where no such run was made."""
    long = replace(tiny_spec, stage1=Levels((1280, 24_000, 40_000)))
    grid = plan_grid(long, texts(first=FOUR_CHUNKS))
    assert grid.stage1 == (20, 375)
    (note,) = [note for note in grid.notes if note.startswith("stage1")]
    assert "the longest run has 24,000" in note
    assert "capped" not in note


def test_text_too_short_for_any_run_is_refused(tiny_spec):
    with pytest.raises(InputError, match="stage1: the 200 tokens of prose hold no step"):
        plan_grid(tiny_spec, texts(first=200))
    with pytest.raises(InputError, match=f"stack: .* at least {FOUR_CHUNKS:,} are needed"):
        plan_grid(tiny_spec, texts(first=FOUR_CHUNKS - 1))
    assert plan_grid(tiny_spec, texts(first=FOUR_CHUNKS)).notes == ()


def test_a_warm_up_longer_than_the_shortest_run_is_refused(tiny_spec):
    slow = replace(tiny_spec, schedule=replace(tiny_spec.schedule, warmup_steps=9))
    with pytest.raises(InputError, match="warm-up"):
        plan_grid(slow, texts())


def test_replicates_follow_a_capped_level(tiny_spec):
    spec = replace(
        tiny_spec,
        stage1=Levels((1280, 40_000, 80_000)),
        replicates=ReplicateSpec((1,), (1280, 40_000, 80_000)),
    )
    grid = plan_grid(spec, texts(first=FOUR_CHUNKS))
    assert grid.replicate_stage1 == grid.stage1 == (20, 384)
    notes = [note for note in grid.notes if note.startswith("replicates")]
    assert ["40,000" in notes[0], "80,000" in notes[1], len(notes)] == [True, True, 2]


def test_stacking_by_three_gives_three_times_the_layers(tiny_spec):
    spec = replace(tiny_spec, stack=StackLevels((640,), factor=3))
    layers = {cell.model.layers for cell in graph_of(spec).cells if cell.method == "stack"}
    assert layers == {3}


def test_the_presets_fit_their_time_budgets_in_tokens():
    """The quick preset trains about 18M tokens of a 50k model: five minutes on two cores."""
    quick, full = (total_work(graph_of(load_spec(name))) for name in ("quick", "full"))
    assert 10e6 < quick.tokens < 25e6
    assert 9 < full.flops / quick.flops < 20


def test_fingerprints_refuse_what_has_no_canonical_form():
    for value in (float("nan"), object(), lambda: None, {1: 2}):
        with pytest.raises(TypeError, match="canonical"):
            fingerprint(value)


def test_fingerprints_do_not_depend_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": [1.5]}) == fingerprint({"b": (1.5,), "a": 1})


def test_seeds_of_different_purposes_differ():
    seeds = {derive_seed(seed, what) for seed in range(50) for what in ("order", "weights")}
    assert len(seeds) == 100
