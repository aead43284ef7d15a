{% macro time_literal(moment) %}
    {%- if moment.hour is defined -%}
        {{ return(utc_literal(moment)) }}
    {%- endif -%}
    {{ return("date '" ~ moment ~ "'") }}
{% endmacro %}
