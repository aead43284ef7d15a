{% macro counted_through(mart, name) -%}
    {#- A scalar subquery is the one form by which Trino prunes partitions and files. -#}
    {%- set text = "json_extract_scalar(value, '$." ~ name ~ "')" -%}
    {%- set values = {
        'batch_id': ["cast(" ~ text ~ " as bigint)", '0'],
        'landed_at': [
            "cast(from_iso8601_timestamp_nanos(" ~ text ~ ") as timestamp(6) with time zone)",
            utc_literal('1970-01-01T00:00:00Z'),
        ],
    } -%}
    {%- if model.resource_type == 'unit_test' -%}
        {{ return({
            'batch_id': var('unit_test_after_batch', 0),
            'landed_at': utc_literal('1970-01-01T00:00:00Z'),
        }[name]) }}
    {%- endif -%}
    {#- An aggregate has a row even where the mart says nothing of its progress. #}
    (
        select coalesce(max({{ values[name][0] }}), {{ values[name][1] }})
        from {{ properties_of(mart) }}
        where key = 'meterhouse.progress'
    )
{%- endmacro %}
