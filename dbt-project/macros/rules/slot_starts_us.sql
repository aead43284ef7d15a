{% macro slot_starts_us(first_slot, slots_until) -%}
    {#- Of the slots of an expected day; none where the first is not below the last. -#}
    if(
        {{ first_slot }} < {{ slots_until }},
        transform(
            sequence({{ first_slot }}, {{ slots_until }} - 1),
            slot_number -> day_start_us + slot_number * slot_us
        ),
        cast(array[] as array(bigint))
    )
{%- endmacro %}
