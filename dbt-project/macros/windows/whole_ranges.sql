{% macro whole_ranges(relation, column, window) %}
    {%- if window.rebuild or window.is_unbounded -%}
        {{ return(none) }}
    {%- elif window.is_empty -%}
        {{ return([]) }}
    {%- endif -%}
    {#- A row that is gone cannot be asked for its day: where it was not recorded, all days are due. -#}
    {%- do window.update({'is_whole': true}) -%}
    {{ return(told_ranges(relation, column, window)) }}
{% endmacro %}
