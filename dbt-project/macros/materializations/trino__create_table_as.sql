{% macro trino__create_table_as(temporary, relation, sql, on_exists=none) -%}
    {%- if config.get('contract').enforced and not temporary -%}
        {{ get_assert_columns_equivalent(sql) }}
        {%- set sql = get_select_subquery(sql) -%}
    {%- endif -%}
    {%- set note = {} if temporary else read_run_note() -%}
    {%- set properties = dict(config.get('properties') or {}) -%}
    {%- if note.progress -%}
        {%- do properties.update({'extra_properties': progress_property(note.progress)}) -%}
    {%- endif -%}
    create {{ 'or replace' if on_exists == 'replace' }} table
    {{ 'if not exists' if on_exists == 'skip' }} {{ relation }}
    {{ comment(model.get('description')) }}
    {%- if properties %}
    with (
        {%- for name, value in properties.items() %}
        {{ name }} = {{ value }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
    {%- endif %}
    as (
        {{ sql }}
    )
{%- endmacro %}
