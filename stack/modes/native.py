"""The native stack as a whole: prepare its services, start them in order, stop them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from stack.base import health
from stack.base.errors import RetriableError
from stack.base.settings import Settings, load_settings
from stack.base.text import Say
from stack.modes import restarts, tools, training
from stack.modes.runtime import State
from stack.programs import kafka, objectstore, postgres, trino
from stack.programs.fetch import Fetching, fetch_all
from stack.programs.paths import Paths, paths_of
from stack.programs.service import Service
from stack.programs.supervision import Process, Supervisor, python_service, wait_for
from stack.provision import ready, security
from stack.provision.initialise import READY_SECONDS, initialise

RUNNING_SECONDS = 30.0
# So long after its start a service need not have said how it is.
FIRST_SECONDS = 60.0
# The lander ends with this code when Kafka no longer holds what it has to land: a person decides.
MESSAGES_LOST = 3


def stores(settings: Settings, paths: Paths) -> list[Service]:
    """The services that keep data."""
    return [
        postgres.service(settings, paths),
        kafka.service(settings, paths),
        objectstore.service(settings, paths),
    ]


def foundation(settings: Settings, paths: Paths) -> list[Service]:
    """The services that others build on."""
    return [*stores(settings, paths), trino.service(settings, paths)]


def pipeline(settings: Settings) -> list[Service]:
    """The project's own services, which need the others."""
    return [
        python_service(
            "lander", ["lander"], settings, stop_seconds=30, final_exit_code=MESSAGES_LOST
        ),
        python_service("dbt", ["stack", "rounds"], settings, stop_seconds=120),
        page("explorer", "explorer", settings, settings.explorer_port),
        page("kafka-ui", "explorer.kafka_alone", settings, settings.kafka_ui_port),
    ]


def page(name: str, module: str, settings: Settings, port: int) -> Service:
    """A page for browsers."""
    address = f"http://localhost:{port}"
    return python_service(name, [module], settings, stop_seconds=10, address=address)


def fetch(settings: Settings, say: Say) -> None:
    """Download and build what is missing; fall back to SeaweedFS where MinIO cannot be built."""
    fetch_all(settings, say)


def start(settings: Settings, say: Say) -> None:
    """Bring everything up and wait until each service answers; safe to call again."""
    paths = paths_of(settings)
    # What ended again and again before is what this start may have fixed.
    known = partial(trouble, settings, since=datetime.now())
    with Fetching(settings) as parts:
        supervisor = start_first(settings, parts, say, known)
        # SeaweedFS may have taken MinIO's place, which changes Trino's settings too.
        if (now := load_settings()) != settings:
            settings, supervisor = now, launch(now, say)
    start_each(supervisor, foundation(settings, paths), say)
    initialise(settings, say, known)
    start_each(supervisor, pipeline(settings), say)
    check_running(supervisor, paths)
    ready.wait(settings, READY_SECONDS, say, ready.PAGES, known)
    if settings.java_training and training.missing(settings):
        supervisor.start(training.NAME)


def start_first(
    settings: Settings, parts: Fetching, say: Say, known: Callable[[str], str]
) -> Supervisor:
    """Start what needs no object store, each as soon as it is downloaded; wait for the rest."""
    paths = paths_of(settings)
    parts.need("kafka")
    supervisor = launch(settings, say)
    start_each(supervisor, stores(settings, paths)[:2], say)
    parts.need("trino-server")
    start_each(supervisor, [trino.service(settings, paths)], say)
    ready.wait(settings, READY_SECONDS, say, [ready.POSTGRES], known)
    postgres.apply_init_files(settings)
    parts.need_all()
    return supervisor


def start_stores(settings: Settings, say: Say) -> None:
    """Bring up what keeps data (PostgreSQL, Kafka, the object store) and nothing that writes."""
    supervisor = launch(settings, say)
    start_each(supervisor, stores(settings, paths_of(settings)), say)
    ready.wait(settings, READY_SECONDS, say, [ready.POSTGRES])
    postgres.apply_init_files(settings)


def launch(settings: Settings, say: Say) -> Supervisor:
    """Prepare every service and have a supervisor that knows how each is run."""
    paths = paths_of(settings)
    paths.state.mkdir(parents=True, mode=0o700, exist_ok=True)
    postgres.check_can_run()
    security.prepare(settings, say)
    postgres.prepare(settings, paths)
    kafka.prepare(settings, paths)
    objectstore.prepare(paths)
    trino.prepare(settings, paths)
    supervisor = Supervisor(settings, paths)
    services = [*foundation(settings, paths), *pipeline(settings), training.service(settings)]
    supervisor.launch(services)
    return supervisor


def check_running(supervisor: Supervisor, paths: Paths) -> None:
    """Wait until every service has run for a moment. Raises RetriableError if one does not."""

    def not_running() -> list[str]:
        return [state.name for state in lasting(supervisor) if state.status != "RUNNING"]

    if not wait_for(lambda: not not_running(), RUNNING_SECONDS):
        raise RetriableError(
            "every service running",
            f"{', '.join(not_running())} not running after {RUNNING_SECONDS:.0f} s",
            f"see its log in {paths.logs}",
        )


def lasting(supervisor: Supervisor) -> list[Process]:
    """The programs that are services, which have to run."""
    return [process for process in supervisor.states() if process.name != training.NAME]


def start_each(supervisor: Supervisor, services: list[Service], say: Say) -> None:
    """Start what does not run yet, in this order."""
    started = [service.name for service in services if supervisor.start(service.name)]
    running = [service.name for service in services if service.name not in started]
    if started:
        say(f"started: {', '.join(started)}")
    if running and not started:
        say(f"already running: {', '.join(running)}")


def stop(settings: Settings, say: Say) -> None:
    """End every service in the reverse order of dependence; data stays where it is."""
    supervisor = Supervisor(settings, paths_of(settings))
    if not supervisor.is_running():
        say("nothing runs")
        return
    for process in reversed(supervisor.states()):
        if process.status not in {"STOPPED", "EXITED", "FATAL"}:
            say(f"stopping {process.name}")
            supervisor.stop(process.name)
    supervisor.shutdown()
    say("stopped; data stays in the state folder")


def erase(settings: Settings, say: Say) -> None:
    """Delete every service's data."""
    stop(settings, say)
    shutil.rmtree(settings.state_dir)


def states(settings: Settings) -> list[State]:
    """How every service is, in the order in which they start; empty if nothing runs."""
    paths = paths_of(settings)
    services = [*foundation(settings, paths), *pipeline(settings)]
    addresses = {service.name: service.address for service in services}
    return [
        state_of(process, addresses.get(process.name, ""), paths)
        for process in lasting(Supervisor(settings, paths))
    ]


def state_of(process: Process, address: str, paths: Paths) -> State:
    """One service's state; what listens to nobody says how it is."""
    report = paths.health / f"{process.name}.json"
    if again := trouble_of(process, paths):
        return State(
            process.name, process.status, False, process.memory_mb, process.up_seconds, again
        )
    note = address or health.note(report)
    is_new = process.up_seconds < FIRST_SECONDS and not health.is_since(report, process.up_seconds)
    is_good = process.status == "RUNNING" and (bool(address) or is_new or health.is_good(report))
    return State(process.name, process.status, is_good, process.memory_mb, process.up_seconds, note)


def trouble_of(process: Process, paths: Paths, since: datetime = datetime.min) -> str:
    """Why a service ends again and again; empty where it does not, or did so before `since`."""
    if process.status == "RUNNING" and process.up_seconds >= restarts.SETTLED_SECONDS:
        return ""
    logs = paths.logs / "supervisord.log", paths.logs / f"{process.name}.log"
    return restarts.trouble(*logs, process.name, datetime.now(), since)


def trouble(settings: Settings, name: str, since: datetime = datetime.min) -> str:
    """Why a service ends again and again; empty where it does not, or did so before `since`."""
    paths = paths_of(settings)
    service = settings.object_store if name == ready.OBJECTSTORE.name else name
    found = [each for each in Supervisor(settings, paths).states() if each.name == service]
    return trouble_of(found[0], paths, since) if found else ""


def log_lines(settings: Settings, name: str, count: int) -> list[str]:
    """The last lines a service logged."""
    log = paths_of(settings).logs / f"{name}.log"
    return log.read_text(errors="replace").splitlines()[-count:] if log.exists() else []


def tool(
    settings: Settings, name: str, arguments: Sequence[str]
) -> tuple[list[str], Mapping[str, str]]:
    """The command and the environment that point a tool at this stack."""
    return tools.tool_command(name, arguments, settings, paths_of(settings))
