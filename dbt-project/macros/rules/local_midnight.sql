{% macro local_midnight(day, time_zone) -%}
    at_timezone(with_timezone(cast({{ day }} as timestamp(6)), {{ time_zone }}), 'UTC')
{%- endmacro %}
