{% macro merge_sql(target, source_sql, columns, target_predicate) -%}
    {%- set keys = config.require('unique_key') -%}
    {%- set keys = [keys] if keys is string else keys -%}
    {%- set values = columns | reject('in', keys) | list -%}
    merge into {{ target }} as dbt_internal_dest
    using ({{ source_sql }}) as dbt_internal_source
    on {{ target_predicate or 'true' }}
    {%- for key in keys %}
        and dbt_internal_dest.{{ key }} = dbt_internal_source.{{ key }}
    {%- endfor %}
    {#- An equal row is left alone: what changes nothing writes nothing. #}
    when matched and (
        {%- for column in values %}
        dbt_internal_dest.{{ column }} is distinct from dbt_internal_source.{{ column }}
        {{- ' or' if not loop.last }}
        {%- endfor %}
    ) then update set
        {%- for column in values %}
        {{ column }} = dbt_internal_source.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    when not matched then insert ({{ columns | join(', ') }})
    values (
        {%- for column in columns %}
        dbt_internal_source.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
