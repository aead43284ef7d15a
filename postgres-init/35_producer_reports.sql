-- What producers were acknowledged by Kafka, kept apart from Kafka so that a broker's loss shows.
-- One row a run, topic and partition, replaced as the run goes on. Safe to run twice.

\connect meterhouse

create table if not exists public.producer_reports (
    run_id uuid not null,
    producer text not null check (producer <> ''),
    topic text not null check (topic <> ''),
    topic_id text not null check (topic_id <> ''),
    kafka_partition integer not null check (kafka_partition >= 0),
    acknowledged bigint not null check (acknowledged > 0),
    last_offset bigint not null check (last_offset >= 0),
    reported_at timestamptz not null default current_timestamp,
    primary key (run_id, topic, topic_id, kafka_partition)
);

comment on table public.producer_reports is
'One row a run of a reporting producer, topic and partition: what Kafka acknowledged.';
comment on column public.producer_reports.run_id is 'One start of a producer.';
comment on column public.producer_reports.producer is 'Which program: simulator or replay.';
comment on column public.producer_reports.topic is 'Topic the messages went to.';
comment on column public.producer_reports.topic_id is
'Kafka''s id of the topic; a recreated topic has another.';
comment on column public.producer_reports.kafka_partition is 'Partition of the messages.';
comment on column public.producer_reports.acknowledged is 'Messages acknowledged so far.';
comment on column public.producer_reports.last_offset is 'Greatest offset acknowledged so far.';
comment on column public.producer_reports.reported_at is 'When the row was last written.';
