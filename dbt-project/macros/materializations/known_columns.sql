{% macro known_columns(relation, sql, previous) %}
    {#- While no file of the project changes, neither do the columns, and Trino is not asked. A dbt
        that was started without the digest asks each time. -#}
    {%- set code = env_var('PROJECT_DIGEST', '') -%}
    {%- if code and previous and previous.code == code -%}{{ return(previous) }}{%- endif -%}
    {{ return({'code': code, 'names': matching_columns(relation, sql)}) }}
{% endmacro %}
