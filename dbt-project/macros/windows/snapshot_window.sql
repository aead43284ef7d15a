{% macro snapshot_window(upstreams, devices) %}
    {%- if not execute or model.resource_type == 'unit_test' -%}
        {{ return(dict(
            unbounded_window(), as_of=utc_literal(var('as_of') or '2026-01-08T00:00:00Z')
        )) }}
    {%- endif -%}
    {%- for upstream in upstreams -%}
        {%- do require_relation(upstream, 'run dbt run --select +' ~ this.identifier) -%}
    {%- endfor -%}
    {%- set own = [this] if is_table(this) else [] -%}
    {%- set found = table_properties(upstreams + own) -%}
    {%- set previous = found[-1] if own else {} -%}
    {%- set inputs = {} -%}
    {%- for upstream in upstreams -%}
        {%- do inputs.update({input_name(upstream): input_of(found[loop.index0])}) -%}
    {%- endfor -%}
    {%- set landed = inputs.values() | map(attribute='landed_at', default=none)
        | select | list -%}
    {%- set moments = [] -%}
    {%- for moment in ([var('as_of')] if var('as_of') else landed) -%}
        {%- do moments.append(utc_literal(moment)) -%}
    {%- endfor -%}
    {%- set progress = {
        'load_id': next_load_id(previous),
        'inputs': inputs,
        'as_of': moments | max if moments else none,
        'master_data': master_data_digest(devices),
    } -%}
    {%- set rebuild = should_full_refresh() or 'load_id' not in previous -%}
    {{ return({
        'rebuild': rebuild,
        'is_empty': not rebuild
            and previous.get('inputs') == progress.inputs
            and previous.get('as_of') == progress.as_of
            and previous.get('master_data') == progress.master_data,
        'is_whole': true,
        'previous': previous,
        'progress': progress,
        'as_of': progress.as_of or 'cast(null as timestamp(6) with time zone)',
    }) }}
{% endmacro %}
