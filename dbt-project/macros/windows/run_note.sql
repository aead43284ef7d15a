{% macro run_note(window, target_column=none, ranges=none, remove=none) -%}
    {%- set previous = window.get('previous', {}) -%}
    {%- set note = {
        'rebuild': window.rebuild,
        'is_empty': window.is_empty,
        'is_check': flags.EMPTY,
        'progress': {} if flags.EMPTY else window.progress,
        'previous_load_id': previous.get('load_id'),
        'own_load_id': window.get('own_load_id') or previous.get('load_id'),
        'columns': previous.get('columns'),
        'is_whole': window.get('is_whole', false),
    } -%}
    {%- if target_column -%}
        {%- do note.update(
            {'target': in_ranges('dbt_internal_dest.' ~ target_column, ranges)}
        ) -%}
    {%- endif -%}
    {%- if remove and remove | trim -%}
        {%- do note.update({'remove': remove | trim | replace('\n', ' ')}) -%}
    {%- endif -%}
    -- meterhouse.run {{ tojson(note) }}
{%- endmacro %}
