{% macro quality_word() -%}
    {#- Landed before the field was declared, it stands with the fields that nobody declared. -#}
    nullif(
        regexp_replace(
            upper(trim(
                coalesce(quality, json_extract_scalar(extra_fields, '$.quality'))
            )), '[ -]+', '_'
        ), ''
    )
{%- endmacro %}
