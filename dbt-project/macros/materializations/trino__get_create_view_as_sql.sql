{% macro trino__get_create_view_as_sql(relation, sql) -%}
    {#- With --empty its sources are cut to no rows: a view made of that would stay empty for everybody
        who asks it afterwards. So the SQL is checked, and the view stays as it is. -#}
    {%- if flags.EMPTY -%}
        explain (type validate) {{ sql }}
    {%- else -%}
        {{ create_view_as(relation, sql) }}
    {%- endif -%}
{%- endmacro %}
