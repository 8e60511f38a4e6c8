-- The journal: one row a fact, never changed, never deleted. `data` is JSON, so that people can query it.
create table facts (
  seq integer primary key,
  stream text not null,
  at integer not null,
  kind text not null,
  version integer not null,
  data text not null,
  -- CRC-32 over the row's other columns: a byte that the disk lost is found when it is read.
  checksum integer not null
) strict;

create index facts_by_stream on facts (stream, seq);
