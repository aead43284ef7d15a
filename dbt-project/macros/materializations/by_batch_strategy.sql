{% macro by_batch_strategy() %}
    {%- set strategy = config.get('incremental_strategy') -%}
    {%- if strategy not in ['append', 'merge'] -%}
        {%- do exceptions.raise_compiler_error(
            'wanted incremental_strategy append or merge in model ' ~ model.name
            ~ ", which is materialized 'by_batch'; found " ~ (strategy or 'none')
            ~ "; set one of the two, or use materialized='incremental', dbt's own"
        ) -%}
    {%- endif -%}
    {%- if '-- meterhouse.run ' not in compiled_code -%}
        {%- do exceptions.raise_compiler_error(
            'wanted {{ run_note(window) }} at the top of model ' ~ model.name
            ~ ", which is materialized 'by_batch'; found none; copy the first lines of a model"
            ~ " like it, or use materialized='incremental', dbt's own"
        ) -%}
    {%- endif -%}
    {{ return(strategy) }}
{% endmacro %}
