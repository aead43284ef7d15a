{#- dbt's incremental looks at its own rows to see what is new. Ours is told by the landing batches
    (run_note), makes one statement a commit, and none where nothing new landed. -#}
{% materialization by_batch, adapter='trino', supported_languages=['sql'] -%}
    {%- do require_whole_input() -%}
    {%- set strategy = by_batch_strategy() -%}
    {%- set note = read_run_note() -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- if existing is not none and existing.type != 'table' and not note.is_check -%}
        {%- do adapter.drop_relation(existing) -%}
        {%- set existing = none -%}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}

    {%- if existing is not none and note.is_check -%}
        {%- call statement('main') -%}
            select * from ({{ compiled_code }}) as dbt_internal_source limit 0
        {%- endcall -%}
    {%- elif existing is none or should_full_refresh() or note.rebuild -%}
        {%- call statement('main') -%}
            {{ create_table_as(False, target_relation, compiled_code, 'replace') }}
        {%- endcall -%}
        {%- do record_progress(target_relation, note, is_new=true) -%}
    {%- elif note.is_empty -%}
        {%- call noop_statement('main', 'NOTHING NEW') -%}{%- endcall -%}
    {%- else -%}
        {%- set columns = known_columns(existing, compiled_code, note.columns) -%}
        {%- do note.progress.update({'columns': {'code': columns.code, 'names': columns.names}}) -%}
        {%- set names = columns.names -%}
        {%- if note.remove -%}
            {%- call statement('remove') -%}
                delete from {{ target_relation }} where {{ note.remove }}
            {%- endcall -%}
        {%- endif -%}
        {%- if note.has_no_rows -%}
            {%- call noop_statement('main', 'NO NEW ROWS', rows_affected=0) -%}{%- endcall -%}
        {%- else -%}
            {%- call statement('main') -%}
                {%- if strategy == 'merge' -%}
                    {{ merge_sql(target_relation, compiled_code, names, note) }}
                {%- else -%}
                    insert into {{ target_relation }} ({{ names | join(', ') }})
                    select {{ names | join(', ') }}
                    from ({{ compiled_code }}) as dbt_internal_source
                    where {{ nobody_wrote_since(target_relation, note) }}
                {%- endif -%}
            {%- endcall -%}
        {%- endif -%}
        {%- do require_own_turn(target_relation, note) -%}
        {%- set rows = load_result('main').response.rows_affected -%}
        {%- if note.offsets is not none and note.offsets == rows -%}
            {%- do note.progress.update({'whole_since': note.previous_load_id}) -%}
        {%- endif -%}
        {%- do record_progress(target_relation, note, is_described=columns.is_known) -%}
    {%- endif -%}

    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}
