{% macro read_run_note() %}
    {%- set lines = modules.re.findall(
        '-- meterhouse\\.run (.*)', model.get('compiled_code') or ''
    ) -%}
    {{ return(fromjson(lines[0]) if lines else {}) }}
{% endmacro %}
