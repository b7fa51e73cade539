"""A training process: takes lanes, trains them, reports, and ends with its parent.

Run as `python -m server.training.worker`, with BLAS held to one thread by its environment. Its frames
are those of `server.worker`: a pickled head and raw bytes; both ends are ours.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import Any, BinaryIO

from server.worker import READY, end_with_parent, listen, pack, read_frame, restrict


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
    inbox: queue.SimpleQueue[tuple[Any, bytes]] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(sys.stdin.buffer, inbox), daemon=True).start()
    train(output, inbox)


def train(output: BinaryIO, inbox: queue.SimpleQueue[tuple[Any, bytes]]) -> None:
    """Says that it is warm, and from then on does as it is told; between two updates it looks whether it is told."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    from server.training.bench import Bench

    def send(head: Any) -> None:
        for part in pack(head):
            output.write(part)
        output.flush()

    with threadpool_limits(limits=1):
        bench = Bench(send)
        for dtype in (np.float32, np.float64):  # BLAS takes its buffers now: it ends the process if it gets none later
            block = np.ones((256, 256), dtype)
            block @ block
        send(READY)
        while True:
            while not (bench.busy and inbox.empty()):
                bench.obey(inbox.get()[0])
            bench.advance()


if __name__ == "__main__":
    main()
