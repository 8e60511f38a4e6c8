import { gitLimits } from './git-limits.ts';
import { readPktLine } from './pkt-line.ts';

/** What the commands before a push's pack amount to. */
export type PushCommands =
  | { readonly kind: 'allowed'; readonly refs: readonly string[] }
  | { readonly kind: 'more' }
  | { readonly kind: 'refused'; readonly reason: string };

const name = '[A-Za-z0-9][A-Za-z0-9._-]{0,127}';
const attemptRef = new RegExp(`^refs/switchyard/attempts/${name}/${name}/[1-9][0-9]{0,15}$`);
/** Work in progress; named by its commit, so that later work of the same attempt is another ref. */
const uploadRef = new RegExp(`^refs/switchyard/uploads/${name}/${name}/[1-9][0-9]{0,15}/([0-9a-f]{40,64})$`);
const command = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^\0\n]+)$/;

/**
 * Reads the commands of a push before git sees any of it. Only new attempts, and work in progress of attempts,
 * may be made: nothing is moved, nothing is deleted, no other ref is touched, nothing is cut off (`shallow`) or signed (`push-cert`). The same once more is
 * fine.
 */
export function readPushCommands(buffer: Buffer): PushCommands {
  const refs: string[] = [];
  for (let at = 0; ;) {
    const result = readPktLine(buffer, at);
    if (result.kind === 'more') {
      return buffer.length > gitLimits.pushCommandBytes ? refused('too many commands') : { kind: 'more' };
    }
    if (result.kind === 'wrong') return refused('not the format of a push');
    if (result.line.kind === 'flush') return { kind: 'allowed', refs };
    const [text = ''] = result.line.data.toString('utf8').replace(/\n$/, '').split('\0');
    const [, from, to, ref] = command.exec(text) ?? [];
    if (from === undefined || to === undefined || ref === undefined) return refused('not a plain push');
    if (!/^0+$/.test(from) && from !== to) return refused(`${ref} exists already and is never moved`);
    if (/^0+$/.test(to)) return refused(`${ref} may not be deleted`);
    if (!mayBeMade(ref, to))
      return refused(
        `${ref} is neither refs/switchyard/attempts/<run>/<task>/<fence> nor refs/switchyard/uploads/<run>/<task>/<fence>/<commit>`,
      );
    refs.push(ref);
    if (refs.length > gitLimits.pushCommands) return refused('too many refs at once');
    at = result.end;
  }
}

function mayBeMade(ref: string, commit: string): boolean {
  if (ref.includes('..') || /\.lock(\/|$)/.test(ref) || /\.(\/|$)/.test(ref)) return false;
  return attemptRef.test(ref) || uploadRef.exec(ref)?.[1] === commit;
}

function refused(reason: string): PushCommands {
  return { kind: 'refused', reason };
}
