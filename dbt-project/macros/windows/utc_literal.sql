{% macro utc_literal(moment) %}
    {#- moment: ISO 8601 text or a datetime, either with its offset. -#}
    {%- set stamp = modules.datetime.datetime.fromisoformat(moment)
        if moment is string else moment -%}
    {%- set utc = stamp.astimezone(modules.pytz.utc) -%}
    {{ return("timestamp '" ~ utc.strftime('%Y-%m-%d %H:%M:%S.%f') ~ " UTC'") }}
{% endmacro %}
