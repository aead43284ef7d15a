{% macro trino__persist_docs(relation, model, for_relation, for_columns) -%}
    {#- Each comment is a metadata commit of its own, so only changed ones are written. -#}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- set wanted = model.description | trim -%}
        {%- if relation_comment(relation) != wanted -%}
            {%- do run_query(alter_relation_comment(relation, wanted)) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- for row in run_query('describe ' ~ relation) -%}
            {%- set wanted = model.columns.get(row['Column'], {}).get('description', '') | trim -%}
            {%- if wanted and wanted != row['Comment'] -%}
                {%- do run_query(
                    'comment on column ' ~ relation ~ '.' ~ row['Column']
                    ~ " is '" ~ wanted | replace("'", "''") ~ "'"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
