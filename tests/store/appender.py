"""A program that appends to a run as fast as it can and says what it was told: `python -m tests.store.appender`.

Its arguments are the store's address, the run, a name of its own and how many batches (0: until it is killed).
For each batch it prints the number of the batch and the id of its last event, after they are acknowledged.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys

from server.store import NewEvent, Store


def payload(name: str, batch: int, index: int, size: int) -> str:
    """Returns an event's data: long enough to be torn, and told by its digest if it were."""
    text = f"{name} {batch} {index} " * random.Random(f"{name} {batch} {index}").randrange(1, 200)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps({"name": name, "batch": batch, "index": index, "size": size, "text": text, "digest": digest})


def batch_of(name: str, number: int) -> list[NewEvent]:
    size = random.Random(f"{name} {number}").randrange(1, 20)
    return [NewEvent("point", name, f"{number}.{index}", payload(name, number, index, size)) for index in range(size)]


def main(url: str, run: str, name: str, most: int) -> None:
    store = Store.open(url)
    kept = store.checkpoint(run, name)
    # As a resumed lane does: from the checkpoint on, and once more what may already be there.
    number = int(kept or 0)
    while not most or number < most:
        events = store.append(run, batch_of(name, number), checkpoints=[(name, str(number + 1).encode())])
        if number:
            store.append(run, batch_of(name, number - 1))
        print(number, events[-1].id if events else 0, flush=True)
        number += 1
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
