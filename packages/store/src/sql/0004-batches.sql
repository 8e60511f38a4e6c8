-- Facts that were appended together are one row: a turn of the loop costs one insert and one checksum, however many
-- facts it has. Facts of before this migration stay where they are, in `facts`, and come first.
create table batches (
  -- Numbers of its first and last fact.
  first integer primary key,
  last integer not null,
  stream text not null,
  at integer not null,
  -- JSON: a list of [kind, version, data], one for each fact, in their order.
  data text not null,
  -- CRC-32 over the row's other columns: a byte that the disk lost is found when it is read.
  checksum integer not null
) strict;

create index batches_by_stream on batches (stream, first);

-- Every fact as a row of its own, for people; without checksums.
create view every_fact as
  select seq, stream, at, kind, version, data from facts
  union all
  select first + each.key, stream, at, each.value ->> 0, each.value ->> 1, each.value -> 2
  from batches, json_each(batches.data) as each;
