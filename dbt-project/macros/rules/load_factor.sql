{% macro load_factor(energy_kwh, measured_s, peak_kw) -%}
    cast(
        cast({{ energy_kwh }} * 3600 / {{ measured_s }} as decimal(18, 6))
        / nullif(greatest({{ peak_kw }}, 0), 0)
        as decimal(9, 4)
    )
{%- endmacro %}
