"""Warnings as people read them: each thing once, and none longer than the answer."""

from hypothesis import given
from hypothesis import strategies as st

from bootlaw.planning import breakeven, notes

CLAUSE = st.text("abc ", min_size=1, max_size=60).map(str.strip).filter(bool)


def test_what_an_earlier_note_said_is_not_said_again():
    said = notes.lines(
        ["a law: N is this; E is shared", "another law: N is this; E is shared", "a"]
    )
    assert said == ["  note: a law: N is this; E is shared", "  note: another law", "  note: a"]


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
