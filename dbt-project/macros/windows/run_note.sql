{% macro run_note(window, target_column=none, ranges=none, remove=none) -%}
    {%- set note = {
        'rebuild': window.rebuild,
        'is_empty': window.is_empty,
        'is_check': flags.EMPTY,
        'progress': {} if flags.EMPTY else window.progress,
        'previous': window.after,
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
