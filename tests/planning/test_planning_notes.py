"""Warnings as people read them: each thing once, and none longer than the answer."""

from hypothesis import given
from hypothesis import strategies as st

from bootlaw.planning import breakeven, notes

CLAUSE = st.text("abc ", min_size=1, max_size=60).map(str.strip).filter(bool)


def test_what_an_earlier_note_said_is_not_said_again():
    size = "N is the number of parameters of the base, not of the model"
    said = notes.lines([f"a law: {size}; E is shared", f"another law: {size}; E is shared"])
    assert said == [f"  note: a law: {size}; E is shared", "  note: another law; E is shared"]


def test_how_grave_an_extrapolation_is_stays_with_each():
    far = [f"{n} tokens: an extrapolation; check it with a run in between" for n in (1, 2)]
    assert notes.lines(far) == [f"  note: {note}" for note in far]


def test_several_diagnostics_of_a_fit_are_named_in_one_line(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, warns=["one", "two"])
    answer = breakeven(fit, tokens_stage1=1e10)
    assert "the bootstrapped+scratch fit warns: one, two (--json" in answer.summary()
    assert sum("fit warns (" in warning for warning in answer.warnings) == 2
    several = [
        "the a and b fits warn (one): x",
        "the c fit warns (two): y",
        "the d fit warns (one): z",
    ]
    assert notes.lines(several) == ["  note: the fits warn: one, two (--json says more)"]
    single = factory.make_fit("bootstrapped+scratch", factory.JOINT, warns=["one"])
    assert "fit warns (one): about one" in breakeven(single, tokens_stage1=1e10).summary()


def test_a_long_note_loses_its_middle():
    long = "; ".join(
        ["from a paper", *["x" * 90] * 1, "y" * 90, "z" * 90, "the range is not known"]
    )
    (line,) = notes.lines([long])
    assert line.startswith("  note: from a paper; xxx")
    assert line.endswith("; ...; the range is not known")
    assert len(line) <= notes.LONGEST + len("  note: ")


@given(st.lists(CLAUSE, min_size=1, max_size=8, unique=True))
def test_short_notes_stay_as_they_are(clauses):
    note = "; ".join(clauses)
    if len(note) <= notes.LONGEST:
        assert notes.lines([note, note]) == [f"  note: {note}"]


def test_two_presets_of_one_paper_take_less_room_than_the_document():
    """The notes of 350 characters were repeated for each law."""
    answer = breakeven(
        "liew2025-upcycling-upcycled",
        scratch="liew2025-upcycling-moe",
        tokens_stage1=1e11,
        params=1e9,
    )
    text = answer.summary()
    assert text.count("N is the number of parameters of the dense base") == 1
    assert text.count("not known here") == 1
    assert len(text.partition("note:")[2]) < 0.7 * sum(map(len, answer.warnings))


def test_a_note_of_which_only_the_name_is_left_is_dropped():
    """It read "note: continue the base (cpt)", and said nothing of it."""
    statement = "the interval along stage-1 tokens is not earned in hold-outs (below the data)"
    said = notes.lines([f"grow the base: {statement}", f"continue the base (cpt): {statement}"])
    assert said == [f"  note: grow the base: {statement}"]
