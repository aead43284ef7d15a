{% macro record_progress(relation, note) %}
    {%- if is_planned(relation) -%}
        {#- The runner writes it once the model has ended well. Models after an appending one wait
            for it: quarantine must not take what a second try of staging may accept. -#}
        {%- do log('meterhouse.progress ' ~ tojson({
            'table': input_name(relation),
            'after': note.previous_load_id,
            'is_awaited': config.get('incremental_strategy') == 'append',
            'progress': note.progress,
        })) -%}
    {%- else -%}
        {%- call statement('record_progress') -%}
            alter table {{ relation }}
            set properties extra_properties = {{ progress_property(note.progress) }}
        {%- endcall -%}
    {%- endif -%}
    {%- do note_progress(relation, note.progress) -%}
{% endmacro %}
