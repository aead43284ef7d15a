{% macro replay_ranges(window, column) %}
    {#- A local day begins or ends at most a day from the same day in UTC. -#}
    {%- set is_day = column == 'reading_date' -%}
    {%- set moment = 'cast(reading_at as date)' if is_day else column -%}
    {%- set margin = " interval '1' day" -%}
    {%- set query -%}
        select
            date_trunc('day', {{ moment }}) as touched_day,
            min({{ moment }}){{ ' -' ~ margin if is_day }} as low,
            max({{ moment }}){{ ' +' ~ margin if is_day }} as high
        from {{ window.ledger }}
        where replay_number between {{ window.replays[0] }} and {{ window.replays[1] }}
        group by 1
        order by 1
    {%- endset -%}
    {{ return(day_ranges(run_query(query) | list)) }}
{% endmacro %}
