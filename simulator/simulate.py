"""The command line of the telemetry simulator."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from simulator.arguments import add_kafka, add_outputs, duration, fault_rates, positive_count, share
from simulator.clock import interval_ends, parse_moment
from simulator.database import limit_devices, read_active_devices, without
from simulator.delivery import Delivery, connect, topic_ids
from simulator.devices import Device, build_fleet
from simulator.faults import FAULT_KINDS
from simulator.hashing import Integers
from simulator.history import run_history
from simulator.live import LiveLimits, run_live, wall_clock_ms
from simulator.load import check_after_anchor
from simulator.load_profiles import DAY_MS
from simulator.outputs import TruthFile
from simulator.register_faults import REGISTER_KINDS
from simulator.reports import Reports, writer
from simulator.screen import (
    WIDTH,
    Screen,
    banner,
    fleet_line,
    mapping_lines,
    seconds_text,
)
from simulator.serialiser import stamp
from simulator.session import Session, StopFlag
from simulator.simulation import Simulation
from stack.base.errors import ConfigurationError, MeterhouseError
from stack.base.settings import Settings, load_settings
from stack.clients.kafka import SIMULATOR, connection

TITLE = "Smart Meter Telemetry Simulator"
DEFAULT_HISTORY_INTERVAL_MS = 1_800_000
LIVE_LINGER_MS = 5
HISTORY_LINGER_MS = 50
EXAMPLES = """\
examples:
  telemetry_simulator.py                          live until Ctrl+C
  telemetry_simulator.py --duration 20            live for 20 seconds
  telemetry_simulator.py --days 30 --faults all=0.01
                                                  the last 30 days, half-hourly, with faults
  telemetry_simulator.py --from 2025-12-01 --to 2025-12-08 --interval 15m
"""


def parser(settings: Settings) -> argparse.ArgumentParser:
    """The command line, its defaults from the settings."""
    result = argparse.ArgumentParser(
        prog="telemetry_simulator.py",
        description="Send readings and fault logs of the meters in PostgreSQL to Kafka: live "
        "(each meter once an interval), or with --days or --from as history of a past span.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_fleet(result, settings)
    add_kafka(result, settings)
    add_stream(result, settings)
    add_outputs(result)
    add_live(result.add_argument_group("live mode"), settings)
    add_history(result.add_argument_group("history mode"))
    return result


def add_fleet(group: argparse.ArgumentParser, settings: Settings) -> None:
    """Which devices report."""
    group.add_argument(
        "--num-devices",
        type=positive_count,
        default=settings.num_devices,
        metavar="N",
        help="at most so many devices (NUM_DEVICES, %(default)s)",
    )
    group.add_argument(
        "--num-customers",
        type=positive_count,
        default=settings.num_customers,
        metavar="N",
        help="of at most so many customers (NUM_CUSTOMERS, %(default)s)",
    )
    group.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="DEVICE",
        help="leave this device out, for instance one that replay.py feeds; may be repeated",
    )


def add_stream(group: argparse.ArgumentParser, settings: Settings) -> None:
    """What is sent besides readings, and how it is made."""
    group.add_argument(
        "--logs-topic-name",
        default=settings.logs_topic_name,
        metavar="TOPIC",
        help="topic of fault logs (LOGS_TOPIC_NAME, %(default)s)",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=settings.fleet_seed,
        help="seed of all randomness (FLEET_SEED, %(default)s)",
    )
    group.add_argument(
        "--solar",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="share of the meters with solar panels, which send their export, too (%(default)s)",
    )
    group.add_argument(
        "--faults",
        type=fault_rates,
        default={},
        metavar="KIND=RATE,...",
        help="share of readings (of meters for "
        + ", ".join(REGISTER_KINDS)
        + ") hit by a fault: all (messages lost or spoilt), metering (wrong energies, versions and "
        "registers, most of which no model corrects yet), or one of " + ", ".join(FAULT_KINDS),
    )


def add_live(group: argparse._ArgumentGroup, settings: Settings) -> None:
    """Options of live mode."""
    group.add_argument(
        "--message-interval",
        type=duration,
        metavar="SECONDS",
        default=str(settings.message_interval),
        help="from one reading of a device to its next "
        f"(MESSAGE_INTERVAL, {settings.message_interval:g})",
    )
    group.add_argument(
        "--duration", type=duration, metavar="SECONDS", help="stop after this time (also 90s, 5m)"
    )
    group.add_argument(
        "--count", type=positive_count, metavar="N", help="stop after so many readings"
    )
    group.add_argument("--quiet", action="store_true", help="no line for each message")


def add_history(group: argparse._ArgumentGroup) -> None:
    """Options of history mode."""
    group.add_argument(
        "--days", type=positive_count, metavar="N", help="history of the N days before --to"
    )
    group.add_argument(
        "--from",
        dest="from_text",
        metavar="TIME",
        help="start: 2025-12-01, 2025-12-01T06:30:00Z or now-7d; times are UTC",
    )
    group.add_argument("--to", dest="to_text", metavar="TIME", help="end (now)")
    group.add_argument(
        "--interval",
        type=duration,
        metavar="TIME",
        help="length of a measured interval, such as 15m (30m)",
    )


def check_modes(command: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Exit 2 for options that do not go together."""
    live_only = ("duration", "count")
    history_only = ("to_text", "interval")
    names = {"to_text": "--to", "from_text": "--from"}
    wrong = [
        name
        for name in (live_only if is_history(options) else history_only)
        if getattr(options, name) is not None
    ]
    if wrong:
        mode = "history" if is_history(options) else "live"
        flag = names.get(wrong[0], f"--{wrong[0]}")
        command.error(f"{flag} has no meaning in {mode} mode; --days or --from choose history")
    if options.days is not None and options.from_text is not None:
        command.error("give --days or --from, not both")


def is_history(options: argparse.Namespace) -> bool:
    """Whether history mode is chosen."""
    return options.days is not None or options.from_text is not None


def history_ends(options: argparse.Namespace, now_ms: int) -> Integers:
    """Ends of the intervals asked for. Raises ConfigurationError for a bad span."""
    to_ms = parse_moment(options.to_text or "now", now_ms)
    if options.days is not None:
        from_ms = to_ms - options.days * DAY_MS
    else:
        from_ms = parse_moment(options.from_text, now_ms)
    return interval_ends(from_ms, to_ms, options.interval or DEFAULT_HISTORY_INTERVAL_MS)


def checked_ends(
    command: argparse.ArgumentParser, options: argparse.Namespace, now_ms: int
) -> Integers:
    """The same; exit 2 for a bad span."""
    try:
        ends_ms = history_ends(options, now_ms)
        check_after_anchor(int(ends_ms[0]) // DAY_MS - 1)
    except ConfigurationError as error:
        command.error(str(error))
    return ends_ms


def load_devices(settings: Settings, options: argparse.Namespace, screen: Screen) -> list[Device]:
    """The devices that report, with what the screen says about them."""
    screen.line("Loading device-customer mappings from PostgreSQL...")
    active = read_active_devices(settings)
    screen.line(f"✓ Loaded {len(active)} active devices from PostgreSQL")
    wanted = without(active, options.without)
    devices = limit_devices(wanted, options.num_devices, options.num_customers)
    screen.line(fleet_line(devices))
    if len(devices) < len(active):
        screen.line(
            f"  ({len(active) - len(devices)} more stay silent: NUM_DEVICES="
            f"{options.num_devices}, NUM_CUSTOMERS={options.num_customers}"
            f"{''.join(f', without {device_id}' for device_id in options.without)})"
        )
    return devices


def open_session(
    settings: Settings, options: argparse.Namespace, screen: Screen, now_ms: int
) -> Session:
    """Connect to Kafka and open the truth file."""
    linger_ms = HISTORY_LINGER_MS if is_history(options) else LIVE_LINGER_MS
    topics = [options.topic_name, options.logs_topic_name]
    broker = connection(settings, SIMULATOR, options.kafka_bootstrap_servers)
    producer = connect(broker, topics, linger_ms)
    screen.line(f"✓ Connected to Kafka at {options.kafka_bootstrap_servers.split(',')}")
    name = f"{'history' if is_history(options) else 'live'}-{stamp(now_ms).replace(':', '')}"
    return Session(
        topic=options.topic_name,
        logs_topic=options.logs_topic_name,
        delivery=Delivery(producer, with_hash=options.report is not None),
        truth=TruthFile(options.truth or settings.state_dir / "truth" / f"{name}.jsonl"),
        report_path=options.report,
        screen=screen,
        stop=StopFlag(),
        reports=Reports("simulator", topic_ids(broker, topics), writer(settings)),
    )


def simulate(
    settings: Settings, options: argparse.Namespace, now_ms: int, ends_ms: Integers | None
) -> int:
    """Run the simulator; the exit status. ends_ms: of history mode, else None."""
    screen = Screen(sys.stdout)
    interval_ms = options.message_interval
    if ends_ms is not None:
        interval_ms = options.interval or DEFAULT_HISTORY_INTERVAL_MS
    screen.lines(
        banner(
            TITLE,
            {
                "Topic": options.topic_name,
                "Kafka": options.kafka_bootstrap_servers,
                "Message Interval": seconds_text(interval_ms),
            },
        )
    )
    devices = load_devices(settings, options, screen)
    session = open_session(settings, options, screen, now_ms)
    screen.lines(mapping_lines(devices))
    fleet = build_fleet(devices, options.seed)
    reference_ms = 0 if ends_ms is None else int(ends_ms[-1])
    simulation = Simulation(
        fleet,
        options.seed,
        interval_ms,
        options.faults,
        reference_ms,
        solar_share=options.solar,
    )
    session.stop.listen()
    run = run_facts(options, simulation, now_ms)
    with session.truth:
        run |= send_all(session, simulation, options, ends_ms)
        return session.finish(run)


def send_all(
    session: Session, simulation: Simulation, options: argparse.Namespace, ends_ms: Integers | None
) -> dict[str, Any]:
    """Send live or history; the span that was sent, for the report."""
    if ends_ms is None:
        session.screen.line("Starting telemetry simulation... (Press Ctrl+C to stop)")
        session.screen.line("-" * WIDTH)
        run_live(session, simulation, LiveLimits(options.duration, options.count), options.quiet)
        return {"mode": "live", "to": stamp(simulation.last_end_ms)}
    first, last = (stamp(int(end)) for end in (ends_ms[0], ends_ms[-1]))
    session.screen.line(f"Starting telemetry history from {first} to {last}...")
    session.screen.line("-" * WIDTH)
    started = time.monotonic()
    run_history(session, simulation, ends_ms)
    session.screen.line(f"Made and queued in {time.monotonic() - started:.1f} s")
    return {"mode": "history", "from": first, "to": stamp(simulation.last_end_ms)}


def run_facts(options: argparse.Namespace, simulation: Simulation, now_ms: int) -> dict[str, Any]:
    """What defines a run, for its report."""
    customers = {device.customer_id for device in simulation.fleet.devices}
    return {
        "started_at": stamp(now_ms),
        "seed": options.seed,
        "interval_s": simulation.interval_ms / 1000,
        "devices": len(simulation.fleet),
        "customers": len(customers),
        "solar_share": options.solar,
        "fault_rates": options.faults,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    try:
        settings = load_settings()
        command = parser(settings)
        options = command.parse_args(arguments)
        check_modes(command, options)
        now_ms = wall_clock_ms()
        ends_ms = checked_ends(command, options, now_ms) if is_history(options) else None
        return simulate(settings, options, now_ms, ends_ms)
    except MeterhouseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
