{% macro require_own_turn(relation, note) %}
    {#- A statement that nobody_wrote_since held back changed no row, and its progress must not be
        recorded: what it says is done is not, and another writer's own would be overwritten. -#}
    {#- In a round the runner compares the recorded load before it records; only of rows beyond it,
        which hold back an append, it knows nothing. -#}
    {%- set is_compared = is_planned(relation)
        and (note.has_no_rows or config.get('incremental_strategy') != 'append') -%}
    {%- if not is_compared and load_result('main').response.rows_affected == 0 -%}
        {%- set turn = run_query('select ' ~ nobody_wrote_since(relation, note) ~ ' as is_ours') -%}
        {%- if not turn[0]['is_ours'] -%}
            {%- do exceptions.raise_compiler_error(
                'wanted ' ~ relation ~ ' as this run found it; found the load of another writer; '
                ~ 'run it again'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
