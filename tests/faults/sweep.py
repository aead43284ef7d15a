"""Strike the lander, or dbt and maintenance, at every step many times, and judge what came of it.

Run as `python -m tests.faults.sweep --strikes 500` beside a running stack, with `--actor writers`
for dbt and maintenance, with `--sender transactional` for senders of transactions. The strikes
follow from the seed; exit code 1 if anything was lost or duplicated, marts differ from a rebuild,
or an actor did not come back.
"""

from __future__ import annotations

import argparse
import itertools
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings, load_settings
from tests.faults import broken, steps, writers
from tests.faults.case import PLAIN, STREAMS, Case, Verdict, plan, run_case
from tests.faults.network import TROUBLES
from tests.faults.oracle import Finding

STRIKES_A_CASE = 10
# So much likelier than any other is a strike of the lander itself.
OWN_WEIGHT = 6
OTHERS = [*steps.SERVICES, steps.KAFKA_STILL, steps.KAFKA_CUT, *TROUBLES, *steps.TURNS]
WHATS = [steps.KILL, steps.FREEZE] * OWN_WEIGHT + OTHERS
LANDER, WRITERS = "lander", "writers"
# A case of the writers plays on tables that all share; each strike of it is a run of dbt.
STRIKES_OF_WRITERS = 5


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.sweep", description=__doc__)
    parser.add_argument("--strikes", type=int, default=500, help="at least so many (500)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--workers", type=int, default=3, help="cases at the same time (3)")
    parser.add_argument("--case", type=int, help="only the case of this number")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case (0)")
    parser.add_argument("--actor", choices=[LANDER, WRITERS], default=LANDER, help="who is struck")
    parser.add_argument(
        "--sender",
        choices=sorted(STREAMS),
        default=PLAIN,
        help="how messages are sent to the lander: one by one, or in transactions of which some "
        "are aborted and some left open (plain)",
    )
    parser.add_argument("--build", choices=sorted(broken.BUILDS), help="strike a broken build")
    parser.add_argument("--report", metavar="PATH", type=Path, help="write the result there too")
    options = parser.parse_args(words)
    if options.actor == WRITERS:
        options.workers = 1
    return options


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """The cases asked for, without end unless one was named."""
    number = options.first if options.case is None else options.case
    while True:
        if options.actor == WRITERS:
            yield writers.plan(options.seed, number, STRIKES_OF_WRITERS)
        else:
            build = options.build or ""
            case = plan(options.seed, number, STRIKES_A_CASE, WHATS, build)
            yield replace(case, sender=options.sender)
        number += 1
        if options.case is not None:
            return


def verdicts(options: argparse.Namespace) -> Iterator[Verdict]:
    """Play cases side by side until there were strikes enough."""
    settings = load_settings()
    play = writers.run_case if options.actor == WRITERS else run_case
    count, source = 0, cases(options)
    with ThreadPoolExecutor(options.workers) as pool:
        while count < options.strikes:
            batch = list(itertools.islice(source, options.workers))
            if not batch:
                return
            for verdict in pool.map(lambda case: played(play, settings, case), batch):
                count += len(verdict.struck)
                yield verdict


def played(play: Callable[[Settings, Case], Verdict], settings: Settings, case: Case) -> Verdict:
    """The finding of a case; one that an error of the sweep's own ended is found wrong."""
    try:
        return play(settings, case)
    except Exception:
        nothing = Finding(messages=0, lost=0, duplicated=0, is_ordered=True, snapshot=None)
        return Verdict(case, (), nothing, is_repeatable=False, trouble=traceback.format_exc())


def line(verdict: Verdict) -> str:
    """A case in one line, and more where something is wrong."""
    finding = verdict.finding
    text = (
        f"case {verdict.case.number:3d}: {len(verdict.struck):2d} strikes, "
        f"{finding.messages} messages, lost {finding.lost}, duplicated {finding.duplicated}"
    )
    if verdict.is_good:
        return text
    same = f"; {finding.different}" if finding.different else ""
    accounted = "" if finding.is_accounted else "; offsets that nothing accounts for"
    ordered = "" if finding.is_ordered else "; a batch landed before an earlier one"
    repeated = "" if verdict.is_repeatable else "; a further run changed the table"
    strikes = ", ".join(map(str, verdict.struck))
    wrong = f"{same}{accounted}{ordered}{repeated}"
    return f"{text}{wrong}\n  WRONG after {strikes}\n{verdict.trouble}".rstrip()


def report(found: Sequence[Verdict], options: argparse.Namespace, minutes: float) -> str:
    """The result as a page."""
    struck = [strike for verdict in found for strike in verdict.struck]
    counted = Counter((strike.step, strike.what) for strike in struck)
    of_writers = options.actor == WRITERS
    whats = writers.WHATS if of_writers else (steps.KILL, steps.FREEZE, *OTHERS)
    named = writers.STEPS if of_writers else list(steps.STEPS)
    return "\n".join(
        [
            f"- Date {datetime.now(UTC):%Y-%m-%d}, commit {commit()}, seed {options.seed}, "
            f"struck {options.actor}, senders {options.sender}, "
            f"build {options.build or 'as it is'}, {minutes:.0f} minutes.",
            f"- {len(found)} cases, {len(struck)} strikes, "
            f"{sum(v.finding.messages for v in found)} messages acknowledged.",
            f"- Lost {sum(v.finding.lost for v in found)}, "
            f"duplicated {sum(v.finding.duplicated for v in found)}, "
            f"cases with anything wrong {sum(not v.is_good for v in found)}; "
            f"landers that gave up and were restarted {sum(v.restarts for v in found)}.",
            "",
            *table(["step", *whats], ([s, *(counted[s, w] for w in whats)] for s in named)),
        ]
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(map(str, row)) + " |" for row in lines]


def commit() -> str:
    """The commit that is struck, marked where files have changed since."""
    words = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(
        words, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def main(words: Sequence[str]) -> int:
    """Run the sweep and print its report, after Ctrl+C too; 1 if anything was wrong."""
    options = arguments(words)
    began, found = time.monotonic(), []
    print(f"seed {options.seed}", flush=True)
    try:
        for verdict in verdicts(options):
            found.append(verdict)
            print(line(verdict), flush=True)
    except KeyboardInterrupt:
        print("interrupted; the report is of the cases so far", flush=True)
    text = report(found, options, (time.monotonic() - began) / 60)
    print(text)
    if options.report:
        options.report.write_text(text + "\n", encoding="utf-8")
    return int(not all(verdict.is_good for verdict in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
