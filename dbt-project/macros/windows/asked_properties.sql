{% macro asked_properties(relations) %}
    {#- Metadata only: the hidden $properties table reads no data file. -#}
    {%- set query -%}
        {%- for relation in relations %}
        select {{ loop.index0 }} as position, key, value
        from {{ properties_of(relation) }}
        where key in ('meterhouse.landed', 'meterhouse.progress')
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- set found = [] -%}
    {%- for relation in relations -%}{%- do found.append({}) -%}{%- endfor -%}
    {%- for row in (run_query(query) if relations else []) -%}
        {%- do found[row['position'] | int].update(fromjson(row['value'])) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
