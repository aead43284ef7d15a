{% macro note_progress(relation, progress) %}
    {#- What a model has just done, for those after it. -#}
    {%- if 'properties' in round_plan() -%}
        {%- do round_plan().properties.update({input_name(relation): progress}) -%}
    {%- endif -%}
{% endmacro %}
