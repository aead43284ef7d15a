{% macro period_changes() %}
    {#- Not by source(): a model asks for it only where something changed, and no unit test gives it. -#}
    {{ return(api.Relation.create(
        database='postgresql', schema='public', identifier='device_period_change'
    )) }}
{% endmacro %}
