{% macro loaded_now() -%}
    {#- Trino's clock has three digits by default, Iceberg's timestamps have six. -#}
    cast(current_timestamp as timestamp(6) with time zone)
{%- endmacro %}
