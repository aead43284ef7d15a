{% macro landed_ends(landed) %}
    {%- set ends = {} -%}
    {%- for partition, offset in landed.offsets.items() -%}
        {%- set skipped = landed.get('skipped', {}).get(partition, 0) -%}
        {%- do ends.update({partition: offset - skipped}) -%}
    {%- endfor -%}
    {{ return({
        'topic_id': landed.topic_id,
        'epochs': landed.get('epochs', {}),
        'ends': ends,
    }) }}
{% endmacro %}
