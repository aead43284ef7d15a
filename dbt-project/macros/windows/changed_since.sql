{% macro changed_since(before, through) %}
    {#- From when on meters changed between two of the log's entries: none where none did, false where
        the first is not in the log, as after a restore of older master data. -#}
    {%- if before == through -%}{{ return(none) }}{%- endif -%}
    {%- if not before -%}{{ return(false) }}{%- endif -%}
    {%- set first, token = before.split(':') -%}
    {%- set last = through.split(':')[0] -%}
    {#- No reading is older than that, and Python has no year before the first. -#}
    {%- set query -%}
        select
            count_if(change_id = {{ first }} and cast(token as varchar) = '{{ token }}') as known,
            greatest(
                min(from_at) filter (where change_id > {{ first }}),
                {{ utc_literal('1000-01-01T00:00:00Z') }}
            ) as from_at
        from {{ period_changes() }}
        where change_id between {{ first }} and {{ last }}
    {%- endset -%}
    {%- set found = run_query(query)[0] -%}
    {%- if not found['known'] or found['from_at'] is none -%}{{ return(false) }}{%- endif -%}
    {{ return({'after': first, 'through': last, 'from_at': found['from_at']}) }}
{% endmacro %}
