{% macro master_data_digest(devices) %}
    {%- if round_plan() -%}{{ return(round_plan().master_data) }}{%- endif -%}
    {#- Of what the health of a meter says or is judged by, whatever order rows come in. -#}
    {%- set query -%}
        select
            to_hex(checksum(row(
                device_id, customer_id, interval_minutes, installed_at
            ))) as digest
        from {{ devices }}
    {%- endset -%}
    {{ return((run_query(query)[0]['digest'] or '') ~ ' ' ~ newest_change()) }}
{% endmacro %}
