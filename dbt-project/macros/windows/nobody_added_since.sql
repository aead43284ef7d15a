{% macro nobody_added_since(relation, after) -%}
    {#- A writer that stood still may have lost its lock, and another done its work. -#}
    {%- if 'batch_id' not in after -%}{{ return('true') }}{%- endif -%}
    not exists (
        select 1
        from {{ relation }}
        where
            batch_id > {{ after.batch_id or 0 }}
            {%- if after.landed_at %}
            and landed_at >= {{ utc_literal(after.landed_at) }}
            {%- endif %}
    )
{%- endmacro %}
