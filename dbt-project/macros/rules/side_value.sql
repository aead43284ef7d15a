{% macro side_value(column, message, device) -%}
    {%- set field = side_fields(message, device)[column] -%}
    case
        when {{ field.is_possible }}
            then try_cast({{ message }}.{{ column }} as {{ field.type }})
    end
{%- endmacro %}
