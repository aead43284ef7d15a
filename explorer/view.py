"""What every page is made of: answers with their age, problems with their remedy, links."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from explorer.chart_locale import chart_locale
from explorer.charts import Chart
from explorer.format import Writer, locale_of, plain, span, status_word
from explorer.lakehouse import (
    CATALOG,
    KEPT_SECONDS,
    Answer,
    Lakehouse,
    Problem,
    not_there,
)
from explorer.queries import Query
from stack.base.settings import Settings, load_settings

Colour = Literal["green", "orange", "red", "gray"]
COLOURS: dict[str, Colour] = {
    "HEALTHY": "green",
    "NORMAL": "green",
    "DEGRADED": "orange",
    "MONITOR": "orange",
    "UNHEALTHY": "red",
    "ACTION_REQUIRED": "red",
}
SIGNS: dict[Colour, str] = {
    "green": ":material/check_circle:",
    "orange": ":material/warning:",
    "red": ":material/error:",
    "gray": ":material/help:",
}
# Signs for tables, where no badge fits: shape and word, not colour alone.
MARKS: dict[Colour, str] = {"green": "●", "orange": "▲", "red": "■", "gray": "○"}
DEFAULT_DAYS = 7
DEMO = "./initial-setup.sh demo"


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings that the explorer was started with."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def lakehouse() -> Lakehouse:
    """The one way to Trino; `--catalog NAME` after the script's name chooses another catalog."""
    words = sys.argv[1:]
    catalog = words[words.index("--catalog") + 1] if "--catalog" in words[:-1] else CATALOG
    return Lakehouse(settings(), catalog)


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def writer(zone: str | None = None) -> Writer:
    """Writes for this reader, by the fleet's clock unless another zone is named."""
    return Writer(locale_of(st.context.locale), ZoneInfo(zone or settings().meter_time_zone))


def today() -> date:
    """The fleet's local day."""
    return now().astimezone(ZoneInfo(settings().meter_time_zone)).date()


@dataclass(frozen=True)
class Answers:
    """What a page asked, by name."""

    found: Mapping[str, Answer | Problem]

    def frame(self, name: str) -> pd.DataFrame | None:
        """The rows of one answer; None where it has a problem."""
        answer = self.found[name]
        return answer.frame if isinstance(answer, Answer) else None

    def row(self, name: str) -> dict[str, Any]:
        """The first row of one answer; empty where there is none."""
        answer = self.found[name]
        return answer.row if isinstance(answer, Answer) else {}

    def problems(self) -> list[Problem]:
        """Each problem once; all that is merely not there yet as one."""
        found = [each for each in self.found.values() if isinstance(each, Problem)]
        unlike = list({problem.text: problem for problem in found}.values())
        empty = [problem for problem in unlike if problem.is_empty]
        others = [problem for problem in unlike if not problem.is_empty]
        return [*others, *([together(empty)] if empty else [])]

    @property
    def is_answered(self) -> bool:
        """Whether Trino answered anything."""
        return any(isinstance(each, Answer) for each in self.found.values())

    def age_seconds(self) -> float:
        """Of the oldest answer."""
        ages = [each.age_seconds for each in self.found.values() if isinstance(each, Answer)]
        return max(ages, default=0.0)


def together(problems: list[Problem]) -> Problem:
    """Several tables that are not there yet, as one problem."""
    missing = sorted({problem.missing for problem in problems if problem.missing})
    text = problems[0].text if len(missing) < 2 else not_there(", ".join(missing))
    return Problem(text, problems[0].command, is_empty=True)


def ask(queries: Mapping[str, Query]) -> Answers:
    """Ask at once all that a page needs, and show how old the answers are and what is amiss."""
    answers = Answers(lakehouse().ask(queries))
    age_line(answers)
    for problem in answers.problems():
        show_problem(problem)
    return answers


def asked(query: Query) -> pd.DataFrame | None:
    """The rows of one question asked later than the page's others, its problem shown."""
    answers = Answers(lakehouse().ask({"rows": query}))
    for problem in answers.problems():
        show_problem(problem)
    return answers.frame("rows")


def age_line(answers: Answers) -> None:
    """When Trino was asked, and a button to ask again."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if answers.is_answered:
            age = answers.age_seconds()
            asked = writer().moment(now() - timedelta(seconds=age))
            st.caption(
                f"Figures of {plain(asked)}, {span(age)} old; kept for {KEPT_SECONDS:.0f} s. "
                f"Days and times by the clock of {plain(settings().meter_time_zone)}.",
                width="content",
            )
        if st.button("Refresh", icon=":material/refresh:", type="tertiary", key="refresh"):
            lakehouse().forget()
            st.rerun()


def show_problem(problem: Problem) -> None:
    """What is missing and the command that helps."""
    box = st.info if problem.is_empty else st.error
    icon = ":material/hourglass_empty:" if problem.is_empty else ":material/cloud_off:"
    box(plain(problem.text), icon=icon)
    st.code(problem.command, language="bash")


def nothing(text: str, command: str = DEMO) -> None:
    """Say that a table is empty, and what would fill it."""
    show_problem(Problem(text, command, is_empty=True))


def badge(status: Any) -> None:
    """A status as a coloured word with a sign."""
    colour = COLOURS.get(status, "gray")
    st.badge(status_word(status), icon=SIGNS[colour], color=colour)


def marked(status: Any) -> str:
    """A status for a table cell."""
    return f"{MARKS[COLOURS.get(status, 'gray')]} {status_word(status)}"


def link(page: str, label: str, icon: str | None = None, **state: str) -> None:
    """A link to a page of the explorer in a state."""
    pages = st.session_state["pages"]
    st.page_link(pages[page], label=plain(label), icon=icon, query_params=dict(state))


def shown_name(name: Any) -> str:
    """A customer's name; nothing where it is not known or masked with asterisks."""
    return str(name) if isinstance(name, str) and name.strip("*") else ""


def search(placeholder: str) -> str:
    """A field for a text to look for, carried by the address; empty where nothing is wanted."""
    text = st.text_input(
        "Search",
        key="q",
        bind="query-params",
        type="search",
        width=260,
        placeholder=placeholder,
    )
    return (text or "").strip()


def matching(frame: pd.DataFrame, text: str, names: Sequence[str]) -> pd.DataFrame:
    """The rows that hold a text, upper or lower case, in one of the columns named."""
    if not text:
        return frame
    found = pd.Series(False, index=frame.index)
    for name in names:
        found |= frame[name].astype(str).str.contains(text, case=False, regex=False)
    return frame[found]


def days_choice(label: str, periods: Sequence[int]) -> int:
    """How many days to show, carried by the address."""
    chosen = st.segmented_control(
        label,
        periods,
        default=DEFAULT_DAYS,
        required=True,
        key="days",
        bind="query-params",
        format_func=days_words,
    )
    return chosen or DEFAULT_DAYS


def days_words(days: int) -> str:
    """A length in days as people say it."""
    return {1: "1 day", 365: "1 year"}.get(days, f"{days} days")


def name_columns(frame: pd.DataFrame) -> list[str]:
    """The column of customers' names where the reader may know any of them."""
    return ["customer_name"] if frame["customer_name"].map(shown_name).any() else []


def back(label: str) -> None:
    """From one thing to the list of all: a link to the same page would leave the address as is."""
    st.button(label, icon=":material/arrow_back:", type="tertiary", on_click=st.query_params.clear)


def meter_line(row: Mapping[str, Any]) -> None:
    """A meter with its status and the reasons, as a line that leads to its page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        link("meters", str(row["device_id"]), ":material/electric_meter:", meter=row["device_id"])
        badge(row["device_health_status"])
        if row["reasons"]:
            st.caption(plain(row["reasons"]), width="content")


def chart(drawn: Chart, alt: str) -> None:
    """A chart in the reader's language. alt: what it shows, for those who cannot see it."""
    locale = chart_locale(locale_of(st.context.locale))
    st.altair_chart(drawn.configure(locale=locale), alt=alt)


def figure(
    label: str, value: str, note: str | None = None, *, text: str | None = None, **options: Any
) -> None:
    """One figure of a row that wraps on a narrow screen."""
    st.metric(
        label,
        value,
        delta=note,
        delta_description=text,
        border=True,
        width="stretch",
        height="stretch",
        **options,
    )
