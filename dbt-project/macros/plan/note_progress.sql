{% macro note_progress(relation, progress) %}
    {#- What has just been recorded, so that no model after this one asks for it. -#}
    {%- if round_plan() -%}
        {%- do planned_properties().update({input_name(relation): progress}) -%}
    {%- endif -%}
{% endmacro %}
