"""The native stack as a whole: prepare its services, start them in order, stop them."""

from __future__ import annotations

from collections.abc import Callable

from stack import ready
from stack.errors import RetriableError
from stack.paths import Paths
from stack.services import kafka, objectstore, postgres, trino
from stack.services.service import Service
from stack.settings import Settings
from stack.supervision import Supervisor, python_service, wait_for
from stack.topics import create_topics

READY_SECONDS = 180.0
RUNNING_SECONDS = 30.0
# The lander ends with this code when Kafka no longer holds what it has to land: a person decides.
MESSAGES_LOST = 3
SCHEMAS = ("landing", "staging", "quality", "intermediate", "marts", "ops")

Say = Callable[[str], None]


def foundation(settings: Settings, paths: Paths) -> list[Service]:
    """The services that others build on."""
    return [
        postgres.service(settings, paths),
        kafka.service(settings, paths),
        objectstore.service(settings, paths),
        trino.service(settings, paths),
    ]


def pipeline(settings: Settings) -> list[Service]:
    """The project's own services, which need the others."""
    return [
        python_service(
            "lander", ["lander"], settings, stop_seconds=30, final_exit_code=MESSAGES_LOST
        ),
        python_service("dbt", ["stack", "rounds"], settings, stop_seconds=120),
    ]


def start(settings: Settings, paths: Paths, say: Say) -> None:
    """Bring everything up and wait until each service answers; safe to call again."""
    paths.state.mkdir(parents=True, mode=0o700, exist_ok=True)
    postgres.check_can_run()
    postgres.prepare(settings, paths)
    kafka.prepare(settings, paths)
    objectstore.prepare(paths)
    trino.prepare(settings, paths)
    supervisor = Supervisor(settings, paths)
    base, own = foundation(settings, paths), pipeline(settings)
    supervisor.launch([*base, *own])
    start_each(supervisor, base, say)
    ready.wait(settings, READY_SECONDS, say, [ready.POSTGRES])
    postgres.apply_init_files(settings)
    ready.wait(settings, READY_SECONDS, say, [ready.KAFKA, ready.OBJECTSTORE])
    create_topics(settings, say)
    ready.wait(settings, READY_SECONDS, say, [ready.TRINO])
    create_schemas(settings)
    start_each(supervisor, own, say)
    check_running(supervisor, paths)


def check_running(supervisor: Supervisor, paths: Paths) -> None:
    """Wait until every service has run for a moment. Raises RetriableError if one does not."""

    def not_running() -> list[str]:
        return [state.name for state in supervisor.states() if state.status != "RUNNING"]

    if not wait_for(lambda: not not_running(), RUNNING_SECONDS):
        raise RetriableError(
            "every service running",
            f"{', '.join(not_running())} not running after {RUNNING_SECONDS:.0f} s",
            f"see its log in {paths.logs}",
        )


def start_each(supervisor: Supervisor, services: list[Service], say: Say) -> None:
    """Start what does not run yet."""
    started = [service.name for service in services if supervisor.start(service.name)]
    running = [service.name for service in services if service.name not in started]
    if started:
        say(f"started: {', '.join(started)}")
    if running:
        say(f"already running: {', '.join(running)}")


def create_schemas(settings: Settings) -> None:
    """Create the lakehouse's schemas that do not exist yet."""
    for schema in SCHEMAS:
        trino.query(settings, f"create schema if not exists iceberg.{schema}")


def stop(settings: Settings, paths: Paths, say: Say) -> None:
    """End every service in the reverse order of dependence; data stays where it is."""
    supervisor = Supervisor(settings, paths)
    if not supervisor.is_running():
        say("nothing runs")
        return
    for state in reversed(supervisor.states()):
        if state.status not in {"STOPPED", "EXITED", "FATAL"}:
            say(f"stopping {state.name}")
            supervisor.stop(state.name)
    supervisor.shutdown()
    say("stopped; data stays in the state folder")
