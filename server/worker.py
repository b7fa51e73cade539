"""A compute process: reads questions from its input, writes answers to its output, and ends with its parent.

Run as `python -m server.worker`, with BLAS held to one thread by its environment. Frames are two
lengths, a pickled head and raw bytes; both ends are ours, and nothing that a visitor sends is unpickled.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO

from server.dropping import Drop, DroppedError, Dropping

FRAME = struct.Struct("<QQ")
READY = "ready"
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
MEMORY = "/proc/self/statm"


@dataclass(frozen=True)
class Bounds:
    """What a compute process may take."""

    memory: int
    nice: int


def pack(head: Any, body: bytes = b"") -> list[bytes]:
    """Returns the parts of one frame."""
    packed = pickle.dumps(head, protocol=5)
    return [FRAME.pack(len(packed), len(body)), packed, body]


def read_frame(stream: BinaryIO) -> tuple[Any, bytes] | None:
    """Returns the next frame's head and body, or None where the stream ends."""
    lengths = stream.read(FRAME.size)
    if len(lengths) < FRAME.size:
        return None
    head, body = FRAME.unpack(lengths)
    packed, raw = stream.read(head), stream.read(body)
    return (pickle.loads(packed), raw) if len(packed) == head and len(raw) == body else None  # noqa: S301  a frame of our own front process


def restrict(bounds: Bounds) -> None:
    """Limits this process's memory, leaves no core dump, and makes way for the front process.

    A group of its own keeps the terminal's signals away. Not a session of its own: Linux shares its cores out between
    sessions first (autogroups), and niceness says nothing between two of them."""
    if sys.platform == "win32":
        return
    import resource

    for name, most in ((resource.RLIMIT_AS, bounds.memory), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(name)[1]
        resource.setrlimit(name, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    os.setpgid(0, 0)
    os.nice(bounds.nice)


def end_with_parent() -> None:
    """Has Linux end this process with the one that started it, also while it hangs; elsewhere `listen` has to do."""
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def held() -> int:
    """Returns the bytes of memory that this process holds just now; 0 where the system does not say."""
    try:
        with open(MEMORY, "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def listen(
    stream: BinaryIO, tasks: queue.SimpleQueue[tuple[Any, bytes]], drop: Callable[[int], None] | None = None
) -> None:
    """Hands on the questions, and by `drop` which is to be dropped. When the input ends the parent has gone, and this
    process ends at once."""
    while (frame := read_frame(stream)) is not None:
        if drop is not None and isinstance(frame[0], Drop):
            drop(frame[0].number)
        else:
            tasks.put(frame)
    os._exit(0)


def main() -> None:
    """Works until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed goes to the log, and not among the frames
    first = read_frame(sys.stdin.buffer)
    if first is None:
        return
    end_with_parent()
    restrict(first[0])
    tasks: queue.SimpleQueue[tuple[Any, bytes]] = queue.SimpleQueue()
    dropping = Dropping()
    threading.Thread(target=listen, args=(sys.stdin.buffer, tasks, dropping.drop), daemon=True).start()
    serve(output, tasks, dropping)


def serve(output: BinaryIO, tasks: queue.SimpleQueue[tuple[Any, bytes]], dropping: Dropping) -> None:
    """Warms up, says so, and answers one question after the other."""
    from dataclasses import replace

    from threadpoolctl import threadpool_limits

    from server import work as known

    with threadpool_limits(limits=1):
        known.warm_up()
        gc.collect()
        gc.freeze()  # what is there now stays, and is not looked at again
        _write(output, READY)
        for number in count(1):
            task, _ = tasks.get()
            try:
                dropping.begin(number)
                answer = known.answer(task)
                dropping.begin(0)
            except DroppedError:
                answer = known.DROPPED
            _write(output, (replace(answer, body=b""), held()), answer.body)


def _write(output: BinaryIO, head: Any, body: bytes = b"") -> None:
    for part in pack(head, body):
        output.write(part)
    output.flush()


if __name__ == "__main__":
    main()
