{% macro nobody_wrote_since(relation, note) -%}
    {#- A writer that stood still may have lost its lock, and another done its work. -#}
    exists (
        select 1
        from {{ properties_of(relation) }}
        where
            key = 'meterhouse.progress'
            and json_extract_scalar(value, '$.load_id') = '{{ note.previous_load_id }}'
    )
    {%- if config.get('incremental_strategy') == 'append' %}
    {#- It may have died before it recorded its progress. #}
    and not exists (
        select 1
        from {{ relation }}
        where load_id >= {{ note.progress.load_id }}
    )
    {%- endif -%}
{%- endmacro %}
