{% macro processing_window(upstream, from_landing=false) %}
    {%- set ledger = replay_ledger() -%}
    {%- if not execute or model.resource_type == 'unit_test' -%}
        {{ return(unbounded_window()) }}
    {%- endif -%}
    {%- do require_relation(
        upstream,
        'start the lander (it makes its tables), or run dbt run --select +' ~ this.identifier
    ) -%}
    {%- set own = adapter.get_relation(this.database, this.schema, this.identifier) -%}
    {%- set known = own is not none and own.type == 'table' -%}
    {%- set progress = table_properties([upstream, this] if known else [upstream]) -%}
    {%- set through = progress[0] -%}
    {#- Landing knows of no replays: the first model behind it asks the ledger. -#}
    {%- if from_landing -%}
        {%- do through.update({'replay': last_replay(ledger)}) -%}
    {%- endif -%}
    {%- set replay = through.get('replay', 0) -%}
    {%- set after = progress[1] if known else {} -%}
    {%- set upstream_build = through.get('build', '') -%}
    {%- set rebuild = should_full_refresh()
        or after.get('upstream_build') != upstream_build -%}
    {%- set window = {
        'rebuild': rebuild,
        'after': {} if rebuild else after,
        'through': through,
        'is_empty': not rebuild and after.get('batch_id') == through.get('batch_id')
            and after.get('replay', 0) == replay,
        'ledger': ledger,
        'replays': [after.get('replay', 0) + 1, replay]
            if not rebuild and after.get('replay', 0) < replay else none,
    } -%}
    {%- do window.update({'progress': {
        'batch_id': through.get('batch_id'),
        'landed_at': through.get('landed_at'),
        'build': invocation_id if rebuild else after.get('build'),
        'upstream_build': upstream_build,
        'replay': replay,
    }}) -%}
    {{ return(window) }}
{% endmacro %}
