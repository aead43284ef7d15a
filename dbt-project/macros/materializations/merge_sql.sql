{% macro merge_sql(target, source_sql, columns, note) -%}
    {%- set keys = config.require('unique_key') -%}
    {%- set keys = [keys] if keys is string else keys -%}
    {%- set values = columns | reject('in', keys) | list -%}
    merge into {{ target }} as dbt_internal_dest
    using (
        {%- if note.is_whole %}
        {#- A row that the source no longer has comes with its key alone. #}
        select
            {%- for key in keys %}
            coalesce(made.{{ key }}, held.{{ key }}) as {{ key }},
            {%- endfor %}
            {%- for column in values %}
            made.{{ column }},
            {%- endfor %}
            made.{{ keys[0] }} is null as dbt_internal_is_gone
        from ({{ source_sql }}) as made
        full join (
            select * from {{ target }} as dbt_internal_dest
            where {{ note.target or 'true' }}
        ) as held
            on
                {%- for key in keys %}
                made.{{ key }} = held.{{ key }}{{ ' and' if not loop.last }}
                {%- endfor %}
        {%- else %}
        select made.*, {{ note.gone or 'false' }} as dbt_internal_is_gone
        from ({{ source_sql }}) as made
        {%- endif %}
        where {{ nobody_wrote_since(target, note) }}
    ) as dbt_internal_source
    on {{ note.target or 'true' }}
    {%- for key in keys %}
        and dbt_internal_dest.{{ key }} = dbt_internal_source.{{ key }}
    {%- endfor %}
    {%- if note.is_whole or note.gone %}
    when matched and dbt_internal_source.dbt_internal_is_gone then delete
    {%- endif %}
    {#- An equal row is left alone: what changes nothing writes nothing. #}
    when matched and (
        {%- for column in values if column != 'load_id' %}
        dbt_internal_dest.{{ column }} is distinct from dbt_internal_source.{{ column }}
        {{- ' or' if not loop.last }}
        {%- endfor %}
    ) then update set
        {%- for column in values %}
        {{ column }} = dbt_internal_source.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    when not matched and not dbt_internal_source.dbt_internal_is_gone then insert ({{ columns | join(', ') }})
    values (
        {%- for column in columns %}
        dbt_internal_source.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
