{% macro ends_of_days(days) %}
    {%- if days is none -%}{{ return(none) }}{%- endif -%}
    {%- set utc = modules.pytz.utc -%}
    {%- set midnight = modules.datetime.time(tzinfo=utc) -%}
    {%- set ranges = [] -%}
    {%- for low, high in days -%}
        {%- do ranges.append([
            modules.datetime.datetime.combine(low, midnight)
            + modules.datetime.timedelta(microseconds=1),
            modules.datetime.datetime.combine(high, midnight)
            + modules.datetime.timedelta(days=1),
        ]) -%}
    {%- endfor -%}
    {{ return(ranges) }}
{% endmacro %}
