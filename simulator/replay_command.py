"""The command line of the replay: recorded readings as those of one meter."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.arguments import add_kafka, add_outputs, positive_count
from simulator.database import read_active_devices
from simulator.delivery import Delivery, connect, topic_ids
from simulator.devices import Device
from simulator.live import wall_clock_ms
from simulator.outputs import TruthFile
from simulator.recorded import (
    SERIES,
    RecordedReading,
    last_days,
    messages,
    read_series,
    shift_to,
)
from simulator.reports import Reports, writer
from simulator.screen import Screen, banner
from simulator.serialiser import stamp
from simulator.session import Session, StopFlag
from stack.base.errors import ConfigurationError, MeterhouseError
from stack.base.settings import Settings, load_settings
from stack.clients.kafka import SIMULATOR, connection
from stack.programs.paths import paths_of

TITLE = "Smart Meter Replay"
LINGER_MS = 20


def parser(settings: Settings) -> argparse.ArgumentParser:
    """The command line, its defaults from the settings."""
    result = argparse.ArgumentParser(
        prog="replay.py",
        description="Send measured half-hourly readings of a UK household through the telemetry "
        "topic as those of one meter, with the duplicates and gaps they were recorded with. "
        "Keep the simulator off that meter with its --without.",
    )
    add_recording(result, paths_of(settings).opendsm)
    add_kafka(result, settings)
    add_outputs(result)
    return result


def add_recording(result: argparse.ArgumentParser, samples: Path) -> None:
    """Which recording goes to which meter."""
    result.add_argument(
        "--device",
        required=True,
        metavar="DEVICE",
        help="the meter to replay for, such as MTR-10008",
    )
    result.add_argument(
        "--series",
        type=int,
        choices=SERIES,
        default=SERIES[0],
        help="which recorded household (%(default)s)",
    )
    result.add_argument(
        "--days",
        type=positive_count,
        default=7,
        metavar="N",
        help="the last N days of the recording (%(default)s)",
    )
    result.add_argument(
        "--shift-to-now",
        action="store_true",
        help="move the recording by whole weeks so that it ends now",
    )
    result.add_argument(
        "--samples",
        type=Path,
        default=samples,
        metavar="DIR",
        help="folder that opendsm was installed into (%(default)s)",
    )


def choose_device(devices: Sequence[Device], device_id: str) -> Device:
    """The active device of an id. Raises ConfigurationError where there is none."""
    for device in devices:
        if device.device_id == device_id:
            return device
    raise ConfigurationError(
        f"an active device {device_id} in public.device_master",
        f"{len(devices)} others, such as {devices[0].device_id}",
        "choose one of them with --device",
    )


def choose_readings(options: argparse.Namespace, now_ms: int) -> list[RecordedReading]:
    """The readings asked for. Raises ConfigurationError where a gap leaves none."""
    series = read_series(options.samples, options.series)
    if options.shift_to_now:
        readings = shift_to(series, now_ms, options.days)
    else:
        readings = last_days(series, options.days)
    if not readings:
        raise ConfigurationError(
            f"readings in the {options.days} days", "only a gap of the recording", "raise --days"
        )
    return readings


def replay(settings: Settings, options: argparse.Namespace) -> int:
    """Send the recorded readings; the exit status."""
    now_ms = wall_clock_ms()
    screen = Screen(sys.stdout)
    readings = choose_readings(options, now_ms)
    device = choose_device(read_active_devices(settings), options.device)
    servers = options.kafka_bootstrap_servers
    broker = connection(settings, SIMULATOR, servers)
    session = Session(
        topic=options.topic_name,
        logs_topic=settings.logs_topic_name,
        delivery=Delivery(
            connect(broker, [options.topic_name], LINGER_MS),
            with_hash=options.report is not None,
        ),
        truth=TruthFile(options.truth or truth_path(settings, options, now_ms)),
        report_path=options.report,
        screen=screen,
        stop=StopFlag(),
        reports=Reports("replay", topic_ids(broker, [options.topic_name]), writer(settings)),
    )
    first, last = (stamp(reading.end_ms) for reading in (readings[0], readings[-1]))
    span = f"{len(readings)} readings from {first} to {last}"
    screen.lines(
        banner(
            TITLE,
            {
                "Topic": options.topic_name,
                "Kafka": servers,
                "Device": f"{device.device_id} -> {device.customer_id}",
                "Recording": span,
            },
        )
    )
    session.stop.listen()
    with session.truth:
        session.send(messages(device, readings, options.series))
        run = {"mode": "replay", "device": device.device_id, "series": options.series}
        return session.finish(run | {"started_at": stamp(now_ms), "from": first, "to": last})


def truth_path(settings: Settings, options: argparse.Namespace, now_ms: int) -> Path:
    """Where the truth goes unless a file is named."""
    name = f"replay-{options.series}-{stamp(now_ms).replace(':', '')}.jsonl"
    return settings.state_dir / "truth" / name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    try:
        settings = load_settings()
        return replay(settings, parser(settings).parse_args(arguments))
    except MeterhouseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
