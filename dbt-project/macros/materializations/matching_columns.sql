{% macro matching_columns(relation, sql) %}
    {%- set held = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- set made = get_column_schema_from_query(sql) | map(attribute='name') | list -%}
    {%- if held | sort != made | sort -%}
        {%- set new = made | reject('in', held) | sort | join(', ') -%}
        {%- set gone = held | reject('in', made) | sort | join(', ') -%}
        {%- do exceptions.raise_compiler_error(
            'wanted the columns of the model in ' ~ relation
            ~ ('; not in the table: ' ~ new if new else '')
            ~ ('; no longer in the model: ' ~ gone if gone else '')
            ~ '; next: bin/dbt run --full-refresh --select ' ~ relation.identifier ~ '+'
        ) -%}
    {%- endif -%}
    {{ return(made) }}
{% endmacro %}
