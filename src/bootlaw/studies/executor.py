"""The local executor: the walk over the run graph on worker processes of this machine.

With one worker the runs are trained in this process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from bootlaw.errors import BootlawError, Interrupted
from bootlaw.studies.attempt import attempt, use_one_thread
from bootlaw.studies.crew import Crew, Death, Ended
from bootlaw.studies.deaths import Deaths, cause, give_up
from bootlaw.studies.execute import Workplace
from bootlaw.studies.progress import ProgressLine, Work
from bootlaw.studies.signals import stop_on_signals
from bootlaw.studies.walk import Walk

_POLL_SECONDS = 0.25


@dataclass
class Course:
    """What both ways of walking share: the work done, what is shown, the wish to stop."""

    walk: Walk
    line: ProgressLine
    on_run: Callable[[], None]
    """Called after every run that ended."""
    say: Callable[[str], None]
    """Receives notes for people."""
    work: Work = field(default_factory=Work)
    stop: bool = False

    def ask_to_stop(self) -> None:
        """Remember the wish: this is called from a signal handler."""
        self.stop = True

    def stopping(self) -> bool:
        """True after a signal."""
        return self.stop

    def add_cost(self, flops: float, tokens: int) -> None:
        """Count work and show it."""
        self.work += Work(flops, tokens)
        self.show()

    def show(self, *, force: bool = False) -> None:
        """Update the progress line."""
        self.line.update(self.work, len(self.walk.done), self.walk.size, force=force)

    def end(self) -> None:
        """Show the end; raise Interrupted where it came early."""
        self.show(force=True)
        if self.stop:
            raise Interrupted("stopped")


def walk_inline(course: Course, place: Workplace) -> None:
    """Train the runs one after the other in this process."""
    use_one_thread()
    walk = course.walk
    with stop_on_signals(course.ask_to_stop):
        while not course.stop and (ready := walk.ready()):
            error: BootlawError | None = None
            try:
                attempt(ready[0], place, course)
            except BootlawError as caught:
                error = caught
            walk.finish(ready[0], error)
            course.on_run()
    course.end()


def walk_processes(course: Course, place: Workplace, workers: int) -> None:
    """Train the runs on at most `workers` processes; a dead one is replaced.

    Raises
    ------
    BootlawError
        When workers cannot start.
    """
    walk, deaths = course.walk, Deaths(place)
    with stop_on_signals(course.ask_to_stop), closing(Crew(workers)) as crew:
        while crew.busy or (not course.stop and not walk.over):
            if course.stop:
                crew.stop()
            elif crew.free:
                _give_out(walk, place, crew)
            done = len(walk.done) + len(walk.failed)
            for event in crew.events(_POLL_SECONDS):
                match event:
                    case Work():
                        course.work += event
                    case Ended(node, error):
                        walk.finish(node, error)
                    case Death():
                        _replace(course, place, deaths, event)
            if len(walk.done) + len(walk.failed) > done:
                course.on_run()
            course.show()
    course.end()


def _give_out(walk: Walk, place: Workplace, crew: Crew) -> None:
    for node in walk.ready()[: crew.free]:
        walk.running.add(node.id)
        crew.give(node, place)


def _replace(course: Course, place: Workplace, deaths: Deaths, death: Death) -> None:
    """Put the run of a dead worker back, or give it up."""
    if course.stop or not deaths.too_many(death):
        course.say(f"the worker of {death.node.id} {cause(death)}; its run is put back")
        course.walk.put_back(death.node)
        return
    message = give_up(death)
    place.store(death.node.id).write_error(message)
    course.walk.finish(death.node, BootlawError(message))
