"""The front process's end of one compute process."""

from __future__ import annotations

from dataclasses import replace

from server.child import Child, DeadError
from server.dropping import Drop
from server.places import Place
from server.settings import Settings
from server.work import Answer, Task
from server.worker import Bounds

MODULE = "server.worker"
__all__ = ["DeadError", "Process"]


class Process:
    """A compute process; it does one task at a time, or, if it is light, one light task."""

    def __init__(self, child: Child, light: bool) -> None:
        self._child, self.light = child, light
        self.asked = self.answered = 0
        self._keeps: dict[str, Place] = {}  # by shelf: the place of the last task that had one
        self.held = 0  # bytes of memory after the last answer; 0 where the system does not say
        self.retired = self.killed = False

    @classmethod
    async def start(cls, settings: Settings, light: bool = False) -> Process:
        """Returns a process that is warm, or raises DeadError."""
        nice = settings.light_nice if light else settings.worker_nice
        return cls(await Child.start(MODULE, Bounds(settings.worker_bytes, nice)), light)

    @property
    def pid(self) -> int:
        return self._child.pid

    async def ask(self, task: Task) -> Answer:
        """Returns the answer to a task, or raises DeadError if the process ends first."""
        try:
            self.asked += 1
            await self._child.send(task)
            (head, self.held), body = await self._child.receive()
        except OSError as error:
            raise DeadError from error
        self.answered += 1
        if task.place is not None:
            self._keeps[task.place.shelf] = task.place
        answer: Answer = replace(head, body=body)
        return answer

    def keeps(self, place: Place | None) -> bool:
        """Returns whether it has what a task of this place can use."""
        return place is not None and self._keeps.get(place.shelf) == place

    def computed(self) -> float | None:
        """Returns for how many seconds it has computed, or None where the system does not say."""
        return self._child.computed()

    def wants(self) -> bool:
        """Returns whether it would compute if it could just now; False where the system does not say."""
        return self._child.wants()

    def worn(self, settings: Settings) -> bool:
        """Returns whether it is time for a new one: it has answered much, or does not give its memory back."""
        return self.answered >= settings.worker_jobs or self.held > settings.worker_held_bytes

    def retire(self) -> None:
        """Ends a process that has nothing to do."""
        self.retired = True
        self.kill()

    def drop(self) -> None:
        """Has the process stop what it does, and be ready for something else."""
        self._child.post(Drop(self.asked))

    def kill(self) -> None:
        """Ends the process now, in the middle of whatever it does."""
        self.killed = True
        self._child.kill()

    async def ended(self) -> None:
        """Returns when the process has ended, for whatever reason."""
        await self._child.ended()

    async def end(self) -> None:
        """Kills the process and waits until it is gone and its pipes are closed."""
        await self._child.end()
