{% test known_quarantine_reason(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where not regexp_like(
        {{ column_name }},
        '^(not_json|not_an_object|(missing|type):.+|unknown_(device|time_zone)|energy_out_of_range|reading_in_future|reading_too_old|master_data_changed)$'
    )
{% endtest %}
