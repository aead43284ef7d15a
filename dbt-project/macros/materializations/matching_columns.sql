{% macro matching_columns(relation, sql) %}
    {%- set held = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- set made = get_column_schema_from_query(sql) | map(attribute='name') | list -%}
    {%- if held | sort != made | sort -%}
        {%- do exceptions.raise_compiler_error(
            'wanted columns ' ~ made | sort | join(', ') ~ ' in ' ~ relation
            ~ '; found ' ~ held | sort | join(', ')
            ~ '; the model changed, run dbt run --full-refresh --select '
            ~ relation.identifier ~ '+'
        ) -%}
    {%- endif -%}
    {{ return(made) }}
{% endmacro %}
