{% macro processing_window(upstreams, ledger=none, by_period=false) %}
    {%- if not execute or model.resource_type == 'unit_test' -%}
        {{ return(unbounded_window()) }}
    {%- endif -%}
    {%- set upstreams = [upstreams] if upstreams.identifier is defined else upstreams -%}
    {%- for upstream in upstreams -%}
        {%- do require_relation(
            upstream,
            'start the lander (it makes its tables), or run dbt run --select +' ~ this.identifier
        ) -%}
    {%- endfor -%}
    {%- set own = [this] if is_table(this) else [] -%}
    {%- set replays = [ledger] if ledger and is_table(ledger) else [] -%}
    {%- set found = table_properties(upstreams + replays + own) -%}
    {%- set previous = found[-1] if own else {} -%}
    {%- set inputs, upstream_progress = {}, {} -%}
    {%- for upstream in upstreams -%}
        {%- if 'batch_id' not in found[loop.index0] and 'load_id' not in found[loop.index0] -%}
            {%- do exceptions.raise_compiler_error(
                'wanted a landing table or a model by_batch before ' ~ this.identifier
                ~ '; found ' ~ input_name(upstream) ~ ' without progress; materialize it by_batch, '
                ~ 'or ' ~ this.identifier ~ ' as a table'
            ) -%}
        {%- endif -%}
        {%- do inputs.update({input_name(upstream): input_of(found[loop.index0])}) -%}
        {%- do upstream_progress.update({input_name(upstream): found[loop.index0]}) -%}
    {%- endfor -%}
    {#- Only a model on landing is told of replays by the ledger, the others by their upstream. -#}
    {%- set replay = found[upstreams | length if replays else 0].get('replay', 0) -%}
    {#- A model whose rule changes has another number of it: its table is then rebuilt once. -#}
    {%- set rule = config.get('meta', {}).get('rule', 1) -%}
    {%- set rebuild = should_full_refresh()
        or previous.get('rule', 1) != rule
        or builds_of(previous.get('inputs', {})) != builds_of(inputs) -%}
    {#- A model after one that counts by periods goes as far as that has gone. -#}
    {%- set change = (found[0].get('period_change') or newest_change()) if by_period else none -%}
    {%- set changed = changed_since(previous.get('period_change'), change)
        if by_period and not rebuild else none -%}
    {%- set rebuild = rebuild or changed is false -%}
    {%- set load_id = next_load_id(previous) -%}
    {{ return({
        'rebuild': rebuild,
        'is_empty': not rebuild and (
            is_set_back(previous.inputs, inputs)
            or previous.inputs == inputs and previous.replay == replay and not changed
        ),
        'changed': changed,
        'found': upstream_progress,
        'after': {} if rebuild else previous.inputs,
        'through': inputs,
        'previous': {} if rebuild else previous,
        'load_id': load_id,
        'replays': [previous.replay + 1, replay]
            if not rebuild and previous.replay < replay else none,
        'progress': {
            'batch_id': found[0].get('batch_id'),
            'landed_at': found[0].get('landed_at'),
            'load_id': load_id,
            'build': invocation_id if rebuild else previous.build,
            'rule': rule,
            'inputs': inputs,
            'replay': replay,
            'landed': landed_ends(found[0]) if 'offsets' in found[0] else {},
            'period_change': change,
        },
    }) }}
{% endmacro %}
