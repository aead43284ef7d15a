{% macro slot_seconds(interval_minutes) -%}
    {#- The slots of a day with an interval below a quarter of an hour hold several readings each. -#}
    60 * if({{ interval_minutes }} in (15, 30, 60), {{ interval_minutes }}, 30)
{%- endmacro %}
