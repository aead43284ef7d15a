{% macro kafka_key(message='') -%}
    {#- Topic id, partition and offset: a recreated topic starts again at offset 0. -#}
    {%- set prefix = message ~ '.' if message else '' -%}
    concat_ws(
        '-',
        {{ prefix }}kafka_topic_id,
        cast({{ prefix }}kafka_partition as varchar),
        cast({{ prefix }}kafka_offset as varchar)
    )
{%- endmacro %}
