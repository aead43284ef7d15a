{% macro is_planned(relation) %}
    {#- The runner reads and records the progress of some schemas; a model may be in another. -#}
    {{ return(relation.schema in round_plan().get('schemas', [])) }}
{% endmacro %}
