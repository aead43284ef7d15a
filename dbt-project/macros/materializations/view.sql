{#- Replaces the adapter's own: a view that says the same already is left alone, because each
    replacement leaves metadata files behind. -#}
{% materialization view, adapter='trino' -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is not none and existing.type == 'view' and not should_full_refresh()
        and spelled(view_definition(this)) == spelled(compiled_code) -%}
        {%- call noop_statement('main', 'UNCHANGED') -%}{%- endcall -%}
    {%- else -%}
        {%- if existing is not none and existing.type != 'view' -%}
            {%- do adapter.drop_relation(existing) -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {{ create_view_as(target_relation, compiled_code) }}
        {%- endcall -%}
        {%- do persist_docs(target_relation, model) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}
