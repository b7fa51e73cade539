"""Schemathesis: what OpenAPI says is what the server does, for good requests and for bad ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.config import SchemathesisConfig

import engine
from scripts.running import running
from server import uploads
from server.app import create_app
from server.settings import Settings
from tests.engine.false_traces import trace
from tests.engine.peer_answers import PINNED, Arrays, load

# One value can be fine and two together not: a lag beyond the steps, a size beyond the limits, arrays of
# another shape, a cell that a framework does not have, a style that a figure has nothing to show of; and bytes are
# a file or none. JSON Schema cannot say that, so 422 is an answer to a request that fits the schema; the test
# of `TOGETHER` sees to it that the problem is one of these.
TOGETHER = {"lag", "k2", "steps", "text", "series", "embedding", "inputs", "targets", "mask", "weights", "vocabulary"}
TOGETHER |= {"initial_state", "cell", "reset_after", "style"}
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "50"))  # of each operation, found by chance; 500 for a night
ANSWER_SECONDS = 60  # a published result trains networks, which takes a busy machine a while
FILE = {"file", "header", "__metadata__"}
ACCEPTED = ["2xx", "414", "422"]  # 414: percent-encoded, a text is longer than its characters
# A run that fits the schema may be one that nobody has, belong to somebody else, or find no room.
TRAINING = {"include-path-regex": "^/api/v1/training"}
TRAINING_ACCEPTED = [*ACCEPTED, "403", "404", "409", "429", "503"]
RANGE = {"from", "to"}  # which must lie in the sequence, one before the other
TRAINING_TOGETHER = {"tokens", "strategies", "hidden", "batch", "update", "rate", "action", "words"}
REJECTED = ["400", "404", "405", "406", "413", "414", "415", "422"]
CHECKS = {
    "positive_data_acceptance": {"expected-statuses": ACCEPTED},
    "negative_data_rejection": {"expected-statuses": REJECTED},
}
TRAINING_CHECKS = CHECKS | {"positive_data_acceptance": {"expected-statuses": TRAINING_ACCEPTED}}


FILES = [load(path).weights for path in sorted(PINNED.glob("*.json"))]


def files(kind: str) -> st.SearchStrategy[bytes]:
    """Files of real weights, in their own names, cut short at times; and any bytes."""
    return _or_cut(st.sampled_from([engine.write_arrays(_plain(weights), f"x.{kind}") for weights in FILES]))


def _or_cut(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    cut = st.tuples(whole, st.integers(1, 99)).map(lambda pair: pair[0][: len(pair[0]) * pair[1] // 100])
    return st.one_of(whole, cut, st.binary(max_size=64))


def _plain(weights: Arrays) -> Arrays:
    return {name.removesuffix(":0"): array for name, array in weights.items()}


for kind, media in (("npz", uploads.NPZ), ("safetensors", uploads.SAFETENSORS)):
    schemathesis.openapi.media_type(media, files(kind))
schemathesis.openapi.media_type("application/zip", _or_cut(st.just(trace())))
schema = schemathesis.openapi.from_dict(
    create_app(Settings(workers=1)).openapi(),
    config=SchemathesisConfig.from_dict({"checks": CHECKS, "operations": [TRAINING | {"checks": TRAINING_CHECKS}]}),
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A real server, over TCP, that refuses what would be long."""
    with running({**os.environ, "UNROLLED_ANALYSIS_SECONDS": "0.3", "UNROLLED_TRAINING_SECONDS": "0.3",
            "UNROLLED_LONG_SECONDS": "0.3"}) as found:
        yield found


def only_what_a_schema_cannot_say(ctx: CheckContext, response: Response, case: Case) -> None:
    """A request that fits the schema is refused only for values that do not go together."""
    if case.path == "/api/v1/traces":
        return  # what is wrong with a file is said of its members, whatever their names
    if response.status_code == 422 and case.meta.generation.mode == GenerationMode.POSITIVE:
        fields = {re.split(r"[.\[]", problem["field"])[0] for problem in response.json()["problems"]}
        more = FILE if case.path == "/api/v1/weights" else set[str]()
        more = TRAINING_TOGETHER if case.path.startswith("/api/v1/training") else more
        more = RANGE if case.path == "/api/v1/closeup" else more
        assert fields <= TOGETHER | more, response.text


def test_no_operation_is_left_out() -> None:
    described = {(method, path) for path, methods in schema.raw_schema["paths"].items() for method in methods}
    assert {(found.ok().method, found.ok().path) for found in schema.get_all_operations()} == described
    assert len(described) >= 44


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_server_does_what_its_document_says(case: Case, address: str) -> None:
    response = case.call(base_url=address, timeout=ANSWER_SECONDS)
    case.validate_response(response, additional_checks=[only_what_a_schema_cannot_say])
