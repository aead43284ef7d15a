{% macro processed_through(relation) -%}
    {#- Which landing rows `relation` has dealt with, as a predicate on batch_id. -#}
    {%- if not execute -%}{{ return('true') }}{%- endif -%}
    {%- set batch_id = table_properties([relation])[0].get('batch_id') -%}
    {{ return('false' if batch_id is none else 'batch_id <= ' ~ batch_id) }}
{%- endmacro %}
