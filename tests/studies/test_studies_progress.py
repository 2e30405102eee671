import pytest

from bootlaw.studies.progress import Pace, ProgressLine, Work, duration, progress_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (245, "4:05 min"), (3725, "1:02 h")],
)
def test_durations_read_as_people_write_them(seconds, text):
    assert duration(seconds) == text


def test_the_line_names_tokens_done_tokens_in_all_and_time_left():
    line = progress_text(Work(100.0, 4_000_000), Work(25.0, 1_000_000), 3, 12, 90.0)
    assert line == "1.00M of 4.00M tokens (25 % of the work), 3 of 12 runs, 1:30 min left"


def test_time_left_does_not_count_the_start_up_of_the_workers():
    """Counting it made the first lines promise hours for minutes of work."""
    pace = Pace().after(0.0, 0.0).after(1.0, 60.0).after(11.0, 70.0)
    assert pace.seconds_for(20.0) == pytest.approx(20.0)


def test_nothing_is_promised_before_there_is_enough_to_tell():
    assert Pace().seconds_for(10.0) is None
    assert Pace().after(1.0, 0.0).after(2.0, 1.0).seconds_for(10.0) is None


def test_a_study_continued_counts_what_was_done_before(capsys):
    seconds = iter([0.0, 20.0, 40.0])
    line = ProgressLine(Work(100.0, 100), Work(50.0, 50), clock=lambda: next(seconds))
    line.update(Work(1.0, 1), 5, 10)
    line.update(Work(21.0, 21), 7, 10)
    line.close()
    assert capsys.readouterr().err.splitlines()[-1].endswith("29 s left")
