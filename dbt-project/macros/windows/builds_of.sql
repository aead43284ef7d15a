{% macro builds_of(inputs) %}
    {%- set builds = {} -%}
    {%- for name, input in inputs.items() -%}
        {%- do builds.update({name: input.get('build', '')}) -%}
    {%- endfor -%}
    {{ return(builds) }}
{% endmacro %}
