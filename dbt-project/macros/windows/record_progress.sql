{% macro record_progress(relation, note, is_new=false, is_described=false) %}
    {%- if is_planned(relation) -%}
        {#- The runner writes it once the model has ended well. Models after an appending one wait
            for it: quarantine must not take what a second try of staging may accept. -#}
        {%- do log('meterhouse.progress ' ~ tojson({
            'table': input_name(relation),
            'after': note.progress.load_id if is_new else note.previous_load_id,
            'is_awaited': config.get('incremental_strategy') == 'append',
            'progress': note.progress,
            'descriptions': {} if is_described else descriptions(model),
        })) -%}
    {%- else -%}
        {%- if not is_new -%}
            {%- call statement('record_progress') -%}
                alter table {{ relation }}
                set properties extra_properties = {{ progress_property(note.progress) }}
            {%- endcall -%}
        {%- endif -%}
        {%- if not is_described -%}{%- do persist_docs(relation, model) -%}{%- endif -%}
    {%- endif -%}
    {%- do note_progress(relation, note.progress) -%}
{% endmacro %}
