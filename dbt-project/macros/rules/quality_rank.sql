{% macro quality_rank(quality) -%}
    {#- docs/telemetry.md has the words. One that is not among them counts as an actual value. -#}
    case
        when {{ quality }} = 'EDITED' then 6
        when {{ quality }} in ('F', 'FINAL', 'FINAL_SUBSTITUTE') then 4
        when {{ quality }} in ('S', 'SUBSTITUTE', 'SUBSTITUTED') then 3
        when {{ quality }} in ('E', 'ESTIMATE', 'ESTIMATED') then 2
        when {{ quality }} in ('N', 'NULL') then 1
        else 5
    end
{%- endmacro %}
