{% macro changed_devices(window) -%}
    (
        select
            device_id,
            min(from_at) as from_at
        from {{ period_changes() }}
        where
            change_id > {{ window.changed.after }}
            and change_id <= {{ window.changed.through }}
        group by device_id
    )
{%- endmacro %}
