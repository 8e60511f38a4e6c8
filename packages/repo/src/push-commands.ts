import { gitLimits } from './git-limits.ts';
import { readPktLine } from './pkt-line.ts';

/** What the commands before a push's pack amount to. */
export type PushCommands =
  | { readonly kind: 'allowed'; readonly refs: readonly string[] }
  | { readonly kind: 'more' }
  | { readonly kind: 'refused'; readonly reason: string };

const attemptRef =
  /^refs\/switchyard\/attempts\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\/[1-9][0-9]{0,15}$/;
const command = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^\0\n]+)$/;

/**
 * Reads the commands of a push before git sees any of it. Only new attempts may be made: nothing is moved, nothing
 * is deleted, no other ref is touched, nothing is cut off (`shallow`) or signed (`push-cert`). The same once more is
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
    if (!attemptRef.test(ref) || ref.includes('..') || /\.lock(\/|$)/.test(ref) || /\.(\/|$)/.test(ref)) {
      return refused(`${ref} is not refs/switchyard/attempts/<run>/<task>/<fence>`);
    }
    refs.push(ref);
    if (refs.length > gitLimits.pushCommands) return refused('too many refs at once');
    at = result.end;
  }
}

function refused(reason: string): PushCommands {
  return { kind: 'refused', reason };
}
