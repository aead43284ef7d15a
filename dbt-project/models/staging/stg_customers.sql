{{ config(materialized='view') }}

select
    customer_id,
    customer_name,
    customer_class,
    tariff_code,
    postcode,
    city,
    country_code,
    is_active,
    created_at,
    updated_at
from {{ source('master_data', 'customer_master') }}
