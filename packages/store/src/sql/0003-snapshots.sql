-- What bounds a replay. Everything here can be made again from `facts`, and is dropped when in doubt.
create table snapshots (
  stream text not null,
  -- The last fact of the stream that is in it.
  seq integer not null,
  -- How many facts of the stream are in it, and how many of its events are in `event_pages`.
  facts integer not null,
  events integer not null,
  -- When it was made, every fact of any stream up to this one was in the newest snapshot of its stream.
  floor integer not null,
  -- Of what shape `data` is; a program that does not know it reads the facts instead.
  shape text not null,
  -- JSON, deflated.
  data blob not null,
  -- CRC-32 over the row's other columns.
  checksum integer not null,
  primary key (stream, seq)
) strict;

-- Events of a run that its snapshots do not repeat.
create table event_pages (
  stream text not null,
  -- Numbers of its first and last event.
  first integer not null,
  last integer not null,
  -- A JSON list, deflated.
  data blob not null,
  checksum integer not null,
  primary key (stream, first)
) strict;
