{% macro run_note(
    window, target_column=none, ranges=none, remove=none, offsets=none, has_no_rows=false,
    day_column=none, gone=none
) -%}
    {%- set previous = window.get('previous', {}) -%}
    {%- set progress = dict(window.progress) -%}
    {#- A correction can move a reading by the longest length there was: beyond a day those spans hold
        too much, and the next model asks. -#}
    {%- set longest_s = progress.get('longest_s', 0) -%}
    {%- if ranges is not none and previous and longest_s <= 86400 -%}
        {%- set days = [] -%}
        {%- for low, high in touched_days(ranges, longest_s) -%}
            {%- do days.append([low ~ '', high ~ '']) -%}
        {%- endfor -%}
        {%- do progress.update({'touched': {
            'after': previous.load_id, 'column': day_column or target_column, 'days': days
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
        'gone': gone,
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
