{% macro descriptions(model) %}
    {#- Trino would make a commit of each. -#}
    {%- set columns = {} -%}
    {%- if config.persist_column_docs() -%}
        {%- for name, column in model.columns.items() if column.description | trim -%}
            {%- do columns.update({name: column.description | trim}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set table = model.description | trim if config.persist_relation_docs() else '' -%}
    {{ return({'table': table, 'columns': columns}) }}
{% endmacro %}
