{% macro is_set_back(before, now) %}
    {#- A writer that stood still records a load older than the one after it; the next run of that
        model goes past both. -#}
    {%- for name, input in now.items() -%}
        {%- if input.get('load_id', 0) < before[name].get('load_id', 0) -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}
