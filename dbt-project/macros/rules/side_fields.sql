{% macro side_fields(message, device) -%}
    {#- is_expected: a message without it is flagged. is_possible: other numbers are flagged. -#}
    {{ return({
        'battery_pct': {
            'path': 'metrics.battery_pct',
            'type': 'decimal(5, 2)',
            'is_expected': true,
            'is_possible': message ~ '.battery_pct between 0 and 100',
        },
        'customer_id': {'path': 'customer_id', 'is_expected': true},
        'export_kwh': {
            'path': 'metrics.export_kwh',
            'type': 'decimal(18, 6)',
            'is_possible': 'abs(' ~ message ~ '.export_kwh) <= ' ~ device ~ '.service_size_kw * '
                ~ var('energy_unknown_interval_hours') ~ ' * ' ~ var('energy_gross_factor') ~ 'e0',
        },
        'frequency_hz': {
            'path': 'metrics.frequency_hz',
            'type': 'decimal(7, 3)',
            'is_possible': message ~ '.frequency_hz between 10 and 100',
        },
        'interval_s': {
            'path': 'metrics.interval_s',
            'type': 'decimal(12, 3)',
            'is_possible': message ~ '.interval_s between 0 and '
                ~ var('interval_longest_days') ~ ' * 86400',
        },
        'message_id': {'path': 'message_id'},
        'quality': {'path': 'quality'},
        'register_export_kwh': {
            'path': 'metrics.register_export_kwh',
            'type': 'decimal(18, 6)',
            'is_possible': message ~ '.register_export_kwh between 0 and 999999999999',
        },
        'register_kwh': {
            'path': 'metrics.register_kwh',
            'type': 'decimal(18, 6)',
            'is_possible': message ~ '.register_kwh between 0 and 999999999999',
        },
        'revision': {'path': 'revision'},
        'status': {'path': 'status', 'is_expected': true},
        'voltage': {
            'path': 'metrics.voltage',
            'type': 'decimal(9, 3)',
            'is_expected': true,
            'is_possible': message ~ '.voltage between '
                ~ device ~ '.nominal_voltage_v * ' ~ var('voltage_low_ratio') ~ 'e0 and '
                ~ device ~ '.nominal_voltage_v * ' ~ var('voltage_high_ratio') ~ 'e0',
        },
    }) }}
{%- endmacro %}
