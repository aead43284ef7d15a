{% macro replay_ledger() %}
    {#- Unit tests know no replays, and no table they did not name. -#}
    {%- if execute and model.resource_type == 'unit_test' -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(ref('replayed_telemetry_raw')) }}
{% endmacro %}
