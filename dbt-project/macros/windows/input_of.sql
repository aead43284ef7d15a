{% macro input_of(progress) %}
    {#- What of an upstream's progress decides whether there is something new. -#}
    {%- set input = {} -%}
    {%- for name in ['batch_id', 'landed_at', 'load_id', 'build', 'replay'] -%}
        {%- if name in progress -%}{%- do input.update({name: progress[name]}) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(input) }}
{% endmacro %}
