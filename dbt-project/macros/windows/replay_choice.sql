{% macro replay_choice() -%}
    {%- set request = var('replay') -%}
    {%- set bounds = ['true'] -%}
    {%- if request.get('reasons') -%}
        {%- set quoted = [] -%}
        {%- for reason in request.reasons -%}
            {%- do quoted.append("'" ~ reason | replace("'", "''") ~ "'") -%}
        {%- endfor -%}
        {%- do bounds.append('reason in (' ~ quoted | join(', ') ~ ')') -%}
    {%- endif -%}
    {%- if request.get('since') -%}
        {%- do bounds.append('kafka_at >= ' ~ utc_literal(request.since)) -%}
    {%- endif -%}
    {%- if request.get('until') -%}
        {%- do bounds.append('kafka_at < ' ~ utc_literal(request.until)) -%}
    {%- endif -%}
    {{ return(bounds | join(' and ')) }}
{%- endmacro %}
