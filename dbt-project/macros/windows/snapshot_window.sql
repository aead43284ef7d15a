{% macro snapshot_window(upstreams, devices) %}
    {%- if not execute or model.resource_type == 'unit_test' -%}
        {{ return(dict(
            unbounded_window(), as_of=utc_literal(var('as_of') or '2026-01-08T00:00:00Z')
        )) }}
    {%- endif -%}
    {%- for upstream in upstreams -%}
        {%- do require_relation(upstream, 'run dbt run --select +' ~ this.identifier) -%}
    {%- endfor -%}
    {%- set own = adapter.get_relation(this.database, this.schema, this.identifier) -%}
    {%- set known = own is not none and own.type == 'table' -%}
    {%- set found = table_properties(upstreams + [this] if known else upstreams) -%}
    {%- set inputs = found[:upstreams | length] -%}
    {%- set landed = inputs | map(attribute='landed_at', default=none) | select | list -%}
    {%- set moments = [] -%}
    {%- for moment in ([var('as_of')] if var('as_of') else landed) -%}
        {%- do moments.append(utc_literal(moment)) -%}
    {%- endfor -%}
    {%- set progress = {
        'inputs': inputs,
        'as_of': moments | max if moments else none,
        'master_data': master_data_digest(devices),
    } -%}
    {%- set previous = found[-1] if known else {} -%}
    {%- set rebuild = not known or should_full_refresh() -%}
    {{ return({
        'rebuild': rebuild,
        'is_empty': not rebuild
            and previous.get('inputs') == progress.inputs
            and previous.get('as_of') == progress.as_of
            and previous.get('master_data') == progress.master_data,
        'is_whole': true,
        'after': previous,
        'through': {},
        'progress': progress,
        'as_of': progress.as_of or 'cast(null as timestamp(6) with time zone)',
    }) }}
{% endmacro %}
