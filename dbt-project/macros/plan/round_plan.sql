{% macro round_plan() %}
    {#- The same dict in every model of one run: what one has asked or recorded, the next one knows.
        Unit tests and dbt by hand have none. -#}
    {{ return(var('plan', {})) }}
{% endmacro %}
