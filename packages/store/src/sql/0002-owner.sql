-- Who may append: one row. Each opening for writing takes the next epoch, and an append of an older one is refused in
-- its own transaction, so that nobody appends behind somebody who has taken the journal over.
create table owner (
  one integer primary key check (one = 1),
  -- Names this journal, so that a mark or a copy of another is known as such.
  journal text not null,
  epoch integer not null,
  -- The process that has it, for people.
  holder text not null
) strict;

insert into owner (one, journal, epoch, holder) values (1, lower(hex(randomblob(16))), 0, '');
