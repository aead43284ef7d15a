{% macro require_whole_input() %}
    {#- --empty needs no refusal: by_batch then checks the SQL and records nothing. -#}
    {%- set found = [] -%}
    {%- for name in ['sample', 'event_time_start', 'event_time_end'] -%}
        {%- if invocation_args_dict.get(name) -%}
            {%- do found.append('--' ~ name | replace('_', '-')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if found -%}
        {%- do exceptions.raise_compiler_error(
            'wanted all that has landed as input of model ' ~ model.name
            ~ ', whose progress says what is done; found ' ~ found | join(', ')
            ~ '; run it without, or leave it out: --exclude config.materialized:by_batch'
        ) -%}
    {%- endif -%}
{% endmacro %}
