import { join } from 'node:path';
import type { RunFact } from '@switchyard/scheduler';
import Database from 'libsql';

/** The facts of a run, as they stand in the journal of a state folder; reviews left out. */
export function readRunFacts(state: string, run: string): RunFact[] {
  const db = new Database(join(state, 'journal.db'), { readonly: true });
  try {
    const rows = db
      .prepare("select data from every_fact where stream = ? and kind not like 'review/%' order by seq")
      .raw(true)
      .all(run) as [string][];
    return rows.map(([data]) => JSON.parse(data) as RunFact);
  } finally {
    db.close();
  }
}

/** The facts of one kind. */
export function factsOf<K extends RunFact['kind']>(
  facts: readonly RunFact[],
  kind: K,
): Extract<RunFact, { kind: K }>[] {
  return facts.filter((fact): fact is Extract<RunFact, { kind: K }> => fact.kind === kind);
}
