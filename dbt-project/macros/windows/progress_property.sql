{% macro progress_property(progress) -%}
    map_from_entries(array[
        row('meterhouse.progress', '{{ tojson(progress) | replace("'", "''") }}'),
        {#- Trino keeps every version of a table's metadata otherwise. #}
        row('write.metadata.delete-after-commit.enabled', 'true'),
        row('write.metadata.previous-versions-max', '20')
    ])
{%- endmacro %}
