{% macro field_flags(message, device) -%}
    nullif(concat_ws(
        ', '
        {%- for column, field in side_fields(message, device) | dictsort %},
        case
            when
                contains(split({{ message }}.field_errors, ', '), 'type:{{ field.path }}')
                {#- The landers of 0.1.0 took a bad side field for a parse error. #}
                or {{ message }}.parse_error = 'type:{{ field.path }}'
                then '{{ column }}:wrong_type'
            {%- if field.is_expected %}
            when {{ message }}.{{ column }} is null then '{{ column }}:missing'
            {%- endif %}
            {%- if field.is_possible %}
            when not ({{ field.is_possible }}) then '{{ column }}:out_of_range'
            {%- endif %}
        end
        {%- endfor %}
    ), '')
{%- endmacro %}
