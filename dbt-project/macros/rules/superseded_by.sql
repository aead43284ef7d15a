{% macro superseded_by(ones_before) -%}
    {#- A higher rank counts, among equals a higher revision; else the newest by Kafka. -#}
    coalesce(
        row(quality_rank, revision)
        < max(row(quality_rank, revision)) over {{ ones_before }},
        false
    )
{%- endmacro %}
