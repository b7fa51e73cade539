"""Every setting and limit, in one table; each can be set by the environment, as UNROLLED_<NAME>.

`/api/v1/limits` shows the limits. (leaf)
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 2**20
SHORTEST_SECRET = 32  # characters
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
STRICT: Mapping[str, float] = {  # what limits are where strangers can reach the server, unless they are set
    "requests_per_second": 20,
    "requests_at_once": 60,
    "trace_bytes": 20 * MIB,
    "traces_at_once": 2,
    "uploads_at_once": 8,
    "reply_bytes": 16 * MIB,
    "long_seconds": 20,
    "job_seconds": 30,
    "training_seconds": 1200,
    "training_unwatched_seconds": 60,
    "training_body_bytes": 4 * MIB,
    "training_queue": 32,
    "training_waiting_per_visitor": 2,
    "streams_per_client": 3,
    "kept_runs": 50,
    "kept_days": 30,
}


def limit(default: float, unit: str, help: str, low: float, high: float) -> Any:
    """Returns a field that is bounded, explained, and shown among the limits."""
    return Field(default, ge=low, le=high, description=help, json_schema_extra={"unit": unit})


class Settings(BaseSettings):
    """What the person who runs the server chooses. Frozen: a server's settings never change."""

    model_config = SettingsConfigDict(env_prefix="UNROLLED_", frozen=True)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names under which the server may be asked, beside the loopback ones; comma-separated.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses of proxies whose X-Forwarded-For is believed; comma-separated, no *.",
    )
    public: bool | None = Field(
        default=None,
        description="Whether strangers can reach it, so that the strict limits hold; by default where it listens to "
        "other machines, or is told of a host name or a proxy.",
    )
    passphrase: SecretStr = Field(
        default=SecretStr(""), description="A passphrase that everybody is asked for, of 8 characters or more."
    )
    passphrase_file: str = Field(default="", description="A file whose first line is that passphrase.")
    frame_ancestors: str = Field(
        default="'none'", pattern=r"^[^;,\r\n]+$", description="Who may embed the page (a CSP source list)."
    )
    hsts: bool = Field(
        default=False, description="Send Strict-Transport-Security: only where HTTPS is served in front."
    )

    log_format: Literal["text", "json"] = Field(default="text", description="How the log's lines are written.")
    log_requests: bool = Field(
        default=False, description="Log a line for each request: its route, status, cost, queue and compute time."
    )

    workers: int = limit(
        os.cpu_count() or 1, "processes", "Compute processes; each does one analysis at a time.", 1, 256
    )
    worker_bytes: int = limit(2048 * MIB, "bytes", "Address space of a compute process.", 512 * MIB, 2**40)
    worker_nice: int = limit(14, "", "Niceness of a compute process; the front process has 0.", 0, 19)
    light_nice: int = limit(2, "", "Niceness of a compute process that does light analyses only.", 0, 19)
    light_workers: int = limit(
        min(1 + (os.cpu_count() or 1), 4),
        "processes",
        "Compute processes beside them that do light analyses only.",
        0,
        64,
    )
    light_seconds: float = limit(0.025, "s", "An analysis that is estimated to take less is light.", 0, 10)
    worker_jobs: int = limit(10_000, "analyses", "A compute process that has done so many is replaced.", 1, 10**9)
    worker_held_bytes: int = limit(
        1024 * MIB, "bytes", "A compute process that holds more memory between two analyses is replaced.", MIB, 2**40
    )
    queue_length: int = limit(256, "analyses", "Analyses that may wait for a compute process.", 1, 10_000)
    heavy_queue_seconds: float = limit(
        8, "s", "Work that may wait for each compute process, as it is estimated; light analyses aside.", 0.1, 3600
    )
    light_queue_seconds: float = limit(2, "s", "Work of light analyses that may wait.", 0.1, 3600)
    client_jobs: int = limit(16, "analyses", "Analyses that one client may have waiting and under way.", 1, 10_000)
    client_seconds: float = limit(20, "s", "Work that one client may have waiting and under way.", 0.1, 3600)
    queue_seconds: float = limit(20, "s", "How long an analysis may wait for a compute process.", 0.1, 600)
    analysis_seconds: float = limit(
        10, "s", "How long an analysis may be estimated to take; a longer one is refused before it runs.", 0.01, 3600
    )
    long_seconds: float = limit(
        60, "s", "The same for a long analysis; once it was computed, close-ups of it are quick.", 0.01, 3600
    )
    job_seconds: float = limit(60, "s", "How long an analysis may compute; then its process is ended.", 0.1, 3600)
    cancel_seconds: float = limit(
        0.25, "s", "How long a compute process may take to stop what nobody awaits any more; then it is ended.", 0, 60
    )
    cache_bytes: int = limit(64 * MIB, "bytes", "Encoded answers that are kept, the last used first.", 0, 2**40)
    reply_bytes: int = limit(64 * MIB, "bytes", "The longest answer.", 1024, 2**40)

    requests_per_second: float = limit(
        0, "requests", "Requests of the API that one client may make in a second; 0 is any number.", 0, 10_000
    )
    requests_at_once: int = limit(150, "requests", "Requests that it may make at once after a pause.", 1, 100_000)
    body_bytes: int = limit(2 * MIB, "bytes", "The longest request body.", 1024, 1024 * MIB)
    upload_bytes: int = limit(8 * MIB, "bytes", "The largest file of weights.", 1024, 128 * MIB)
    uploads_at_once: int = limit(16, "files", "Files of weights that may be held in memory at the same time.", 1, 1000)
    trace_bytes: int = limit(200 * MIB, "bytes", "The largest recorded trace.", 1024, 200 * MIB)
    trace_seconds: float = limit(120, "s", "How long a recorded trace may take to arrive.", 0.1, 3600)
    traces_at_once: int = limit(4, "files", "Recorded traces that may be on the disk at the same time.", 1, 1000)
    body_seconds: float = limit(14, "s", "How long a request body may take to arrive.", 0.1, 600)
    json_depth: int = limit(16, "levels", "The deepest nesting of a JSON body.", 4, 100)
    url_bytes: int = limit(8192, "bytes", "The longest address, query included.", 256, 65536)
    header_bytes: int = limit(16384, "bytes", "All request headers together.", 1024, 65536)
    header_count: int = limit(100, "headers", "How many request headers there may be.", 10, 1000)
    header_seconds: float = limit(10, "s", "How long a request's headers may take to arrive.", 0.1, 600)
    half_open: int = limit(
        256, "connections", "Connections whose request's head may be awaited; the oldest beyond are closed.", 1, 65536
    )
    keep_alive_seconds: int = limit(5, "s", "How long an idle connection is kept.", 1, 600)
    shutdown_seconds: int = limit(1, "s", "How long open requests may take to end when the server stops.", 1, 60)

    data: str = Field(default="", description="The folder of what is kept; by default the user's own for such data.")
    database: str = Field(
        default="",
        description="The database of the runs, as postgresql://user:password@host/name or sqlite:////a/file; "
        "by default a SQLite file in that folder.",
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="What signs the visitors' cookies, 32 characters or more, the same for all servers of one class; "
        "by default a file in that folder.",
    )
    database_seconds: float = limit(5, "s", "How long the database may be locked or out of reach.", 0.1, 60)
    kept_runs: int = limit(200, "runs", "Training runs kept for a visitor; the oldest finished go first.", 1, 100_000)
    kept_days: float = limit(0, "days", "How long a finished training run is kept; 0 is for ever.", 0, 36_500)
    disk_reserved_bytes: int = limit(
        256 * MIB, "bytes", "Space of the disk that no new training run may begin to use.", 0, 2**40
    )

    training_workers: int = limit(
        os.cpu_count() or 1, "processes", "Training processes; as many runs train at the same time.", 1, 256
    )
    training_process_bytes: int = limit(
        4096 * MIB, "bytes", "Address space of a training process.", 512 * MIB, 2**40
    )
    training_nice: int = limit(5, "", "Niceness of a training process.", 0, 19)
    training_idle_seconds: float = limit(
        300, "s", "How long a training process is kept that has nothing to do.", 1, 86_400
    )
    training_stall_seconds: float = limit(
        60,
        "s",
        "How long a training process may compute and say nothing; then it is ended, and its lanes go on.",
        1,
        3600,
    )
    training_seconds: float = limit(
        14_400, "s", "How long a run may compute, all its processes together; then it ends.", 0.1, 10**7
    )
    training_unwatched_seconds: float = limit(
        0, "s", "A run that nobody follows or asks about for so long is paused; 0: it goes on by itself.", 0, 10**7
    )
    training_queue: int = limit(64, "runs", "Runs that may wait for their turn.", 1, 10_000)
    training_per_visitor: int = limit(1, "runs", "Runs of one visitor that train at the same time.", 1, 256)
    training_waiting_per_visitor: int = limit(4, "runs", "Runs of one visitor that may wait.", 1, 10_000)
    training_body_bytes: int = limit(16 * MIB, "bytes", "The longest lab, its text included.", 1024, 128 * MIB)
    training_weight_bytes: int = limit(
        32 * MIB, "bytes", "Weights of a run's moments that are kept, to be opened in the explorer.", 0, 2**40
    )
    streams: int = limit(500, "streams", "Event streams that may be open.", 1, 100_000)
    streams_per_client: int = limit(6, "streams", "Event streams that one visitor may have open.", 1, 100_000)
    heartbeat_seconds: float = limit(15, "s", "How often an event stream says that it lives.", 0.05, 3600)
    stalled_seconds: float = limit(
        26, "s", "How long a client may read nothing of what it is being sent; then it is cut off.", 0.1, 3600
    )

    @property
    def for_all(self) -> bool:
        """Whether it listens to more than this machine."""
        return self.host.lower() not in LOOPBACK

    @model_validator(mode="wrap")
    @classmethod
    def _strict(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = handler(given)
        if made.public is None:
            reachable = made.for_all or bool(made.allowed_hosts or made.trusted_proxies)
            made = handler({**given, "public": reachable})
        return handler({**STRICT, **given, "public": True}) if made.public else made

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have {SHORTEST_SECRET} characters or more")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            ipaddress.ip_network(address)  # "*" is none: everybody could say to be anybody
        return value

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name.strip().lower() for name in value.split(",") if name.strip())


def unit_of(field: FieldInfo) -> str | None:
    """Returns a limit's unit ("" for a pure number), or None for a setting that is not a limit."""
    extra = field.json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) and "unit" in extra else None


def limits(settings: Settings) -> dict[str, dict[str, object]]:
    """Returns every limit by name: its value, unit and meaning; and whether they are the strict ones."""
    strict = {"value": int(bool(settings.public)), "unit": "", "help": "1: the limits for a server of strangers hold."}
    return {"public": strict} | {
        name: {"value": getattr(settings, name), "unit": unit, "help": field.description}
        for name, field in Settings.model_fields.items()
        if (unit := unit_of(field)) is not None
    }
