{% macro record_progress(relation, note) %}
    {%- call statement('record_progress') -%}
        alter table {{ relation }}
        set properties extra_properties = {{ progress_property(note.progress) }}
    {%- endcall -%}
    {%- do note_progress(relation, note.progress) -%}
{% endmacro %}
