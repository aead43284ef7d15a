"""The dbt project keeps its own rules: documented, named after its files, one list of events."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from dbt.adapters.trino.connections import TrinoCredentialsFactory

from simulator.log_phrases import EVENT_LEVELS

PROJECT = Path(__file__).resolve().parents[3] / "dbt-project"
MODELS = sorted((PROJECT / "models").rglob("*.sql"))
MACROS = sorted((PROJECT / "macros").rglob("*.sql"))
BY_BATCH = [m for m in MODELS if "materialized='by_batch'" in m.read_text("utf-8")]
MATERIALIZATIONS = {"by_batch"}


def name_of(path: Path) -> str:
    return path.stem


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def all_jinja() -> str:
    files = [*MODELS, *MACROS, *(PROJECT / "data-tests").rglob("*.sql")]
    return "\n".join(path.read_text("utf-8") for path in files)


def last_select_columns(sql: str) -> list[str]:
    """Columns of the CTE named like the model, or of the only select."""
    sql = written_out(sql)
    body = sql.rsplit("select\n", 1)[1] if "\nselect *" not in sql else final_cte(sql)
    return [line.split()[-1].split(".")[-1].strip(",") for line in top_level_items(body)]


def written_out(sql: str) -> str:
    """SQL with the select of a macro that makes its last CTE, and with its lists of columns."""
    for name, text in re.findall(r"{%- set (\w+) %}\n(.*?){%- endset %}", sql, re.DOTALL):
        sql = sql.replace(f"{{{{- {name} }}}}", f"\n{text}")
    call = re.search(r"{{ (\w+)\((.*)\) }}\n\)\n\nselect \*", sql)
    if not call:
        return sql
    macro = (PROJECT / "macros/rules" / f"{call[1]}.sql").read_text("utf-8")
    body = macro.rsplit("select\n", 1)[1].split("{%- endmacro")[0]
    kept = r"\1" if "load_id" in call[2] else ""
    body = re.sub(r"{%- if load_id %}(.*?){%- endif %}", kept, body, flags=re.DOTALL)
    return f" as (\nselect\n{body}\n)\n\nselect *"


def final_cte(sql: str) -> str:
    return sql.rsplit("\n)\n\nselect *", 1)[0].rsplit(" as (\n", 1)[1].split("select\n", 1)[1]


def top_level_items(body: str) -> list[str]:
    """Items of a select list: split at commas that no bracket encloses."""
    items, depth, item = [], 0, ""
    for character in re.sub(r"--[^\n]*", "", re.split(r"\n\s*from ", body)[0]):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            items.append(item)
            item = ""
        else:
            item += character
    return [*items, item]


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_model_is_described_in_the_file_beside_it(model: Path) -> None:
    (described,) = yaml_of(model.with_suffix(".yml"))["models"]
    assert described["name"] == model.stem
    assert described["description"].startswith("One row per ")


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_model_describes_each_of_its_columns(model: Path) -> None:
    (described,) = yaml_of(model.with_suffix(".yml"))["models"]
    columns = {column["name"] for column in described["columns"] if column["description"]}
    assert columns == set(last_select_columns(model.read_text("utf-8")))


@pytest.mark.parametrize("model", BY_BATCH, ids=name_of)
def test_model_by_batch_writes_one_statement_and_notes_its_window(model: Path) -> None:
    sql = model.read_text("utf-8")
    assert re.search(r"incremental_strategy='(append|merge)'", sql)
    assert "{{ run_note(window" in sql


@pytest.mark.parametrize("macro", MACROS, ids=name_of)
def test_macro_is_named_like_its_file_and_documented(macro: Path) -> None:
    documented = {entry["name"] for entry in yaml_of(PROJECT / "macros/_macros.yml")["macros"]}
    defined = re.findall(r"{%-? (?:macro|materialization) (\w+)", macro.read_text("utf-8"))
    assert defined == [macro.stem]
    assert macro.stem in documented | MATERIALIZATIONS


def test_variables_are_all_used() -> None:
    declared = set(yaml_of(PROJECT / "dbt_project.yml")["vars"])
    used = set(re.findall(r"\bvar\(['\"](\w+)['\"]", all_jinja()))
    assert declared == used - {"unit_test_after_load", "unit_test_after_batch", "plan"}


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_no_path_of_an_object_is_made_of_a_name(model: Path) -> None:
    """A name may hold a slash; partitions are folders, and theirs are times."""
    properties = re.search(r"partitioning[^\]]*\]", model.read_text("utf-8"))
    assert properties is None or "_id" not in properties[0].replace("batch_id", "")


def test_profile_takes_its_address_from_the_environment() -> None:
    output = yaml_of(PROJECT / "profiles.yml")["meterhouse"]["outputs"]["lakehouse"]
    assert output["host"] == "{{ env_var('TRINO_HOST') }}"
    assert output["port"] == "{{ env_var('TRINO_PORT') | as_number }}"


@pytest.mark.parametrize(("secure", "scheme"), [("true", "https"), ("false", "http")])
def test_profile_logs_in_where_the_stack_is_secure(secure: str, scheme: str) -> None:
    environment = {
        "SECURE": secure,
        "TRINO_HOST": "localhost",
        "TRINO_PORT": "8081",
        "TRINO_DBT_PASSWORD": "hunter2",
        "TLS_CA_FILE": "/state/tls/client/ca.pem",
    }
    template = jinja2.Environment(autoescape=True)
    template.filters |= {"as_number": str, "as_native": str}
    text = template.from_string((PROJECT / "profiles.yml").read_text("utf-8")).render(
        env_var=environment.__getitem__, var=lambda _, default: default
    )
    output = yaml.safe_load(text)["meterhouse"]["outputs"]["lakehouse"]
    # dbt-trino takes a dict, which only dbt's own rendering makes.
    of_dbt = {"type", "threads", "session_properties"}
    given = {name: output[name] for name in set(output) - of_dbt}
    given["port"] = int(given["port"])
    # What dbt-trino makes of the profile, plain or with a login.
    profile = TrinoCredentialsFactory.translate_aliases(given)
    TrinoCredentialsFactory.validate(profile)
    credentials = TrinoCredentialsFactory.from_dict(profile)
    assert credentials.http_scheme.value == scheme
    assert credentials.cert == "/state/tls/client/ca.pem"
    assert credentials.timezone == "UTC"
    assert (credentials.trino_auth() is not None) is (secure == "true")


def test_fault_rules_know_every_event_that_meters_write() -> None:
    rules = (PROJECT / "models/intermediate/int_fault_rules.sql").read_text("utf-8")
    assert set(re.findall(r"^    \('([A-Z_]+)'", rules, re.MULTILINE)) == set(EVENT_LEVELS)


def test_log_parser_knows_every_event_that_meters_write() -> None:
    events = (PROJECT / "macros/rules/fault_log_events.sql").read_text("utf-8")
    assert set(re.findall(r"'([A-Z_]+)'", events)) == set(EVENT_LEVELS)
