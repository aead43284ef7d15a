{% macro run_note(
    window, target_column=none, ranges=none, remove=none, offsets=none, has_no_rows=false
) -%}
    {%- set previous = window.get('previous', {}) -%}
    {%- set progress = dict(window.progress) -%}
    {%- if ranges is not none and previous -%}
        {%- set days = [] -%}
        {%- for low, high in touched_days(ranges) -%}
            {%- do days.append([low ~ '', high ~ '']) -%}
        {%- endfor -%}
        {%- do progress.update({'touched': {
            'after': previous.load_id, 'column': target_column, 'days': days
        }}) -%}
    {%- endif -%}
    {%- set note = {
        'rebuild': window.rebuild,
        'is_empty': window.is_empty,
        'is_check': flags.EMPTY,
        'has_no_rows': has_no_rows or ranges == [],
        'progress': {} if flags.EMPTY else progress,
        'previous_load_id': previous.get('load_id'),
        'offsets': offsets,
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
