{% macro documentation_digest() %}
    {%- set texts = [model.description] -%}
    {%- for column in model.columns.values() -%}
        {%- do texts.append(column.name ~ ': ' ~ column.description) -%}
    {%- endfor -%}
    {{ return(local_md5(texts | join('\n'))) }}
{% endmacro %}
