import { severities, type Finding, type Verdict } from '@switchyard/protocol';
import { mergeFindings } from './merge-findings.ts';
import type { ReviewMember, ReviewOutcome, ReviewState } from './state.ts';

/** How a review comes out once every member has come to an end; until then undefined. */
export function outcomeOf(state: ReviewState, at: number): ReviewOutcome | undefined {
  const members = [...state.members.values()];
  if (members.some(({ phase }) => !ends.has(phase.kind))) return undefined;
  const findings = mergeFindings(members.flatMap((member) => [...(verdictOf(member)?.issues ?? [])]));
  const kind = kindOf(state, members);
  return { kind, at, findings, text: textOf(state, { members, kind, findings }) };
}

const ends: ReadonlySet<ReviewMember['phase']['kind']> = new Set([
  'approved',
  'rejected',
  'failed',
  'timed-out',
]);

/**
 * One rejection rejects; else a quorum approves, whatever became of the others; then what failed; then what timed out,
 * unless the plan lets that pass.
 */
function kindOf({ request }: ReviewState, members: readonly ReviewMember[]): ReviewOutcome['kind'] {
  if (request.mode === 'optional') return 'approved';
  const has = (kind: ReviewMember['phase']['kind']): boolean =>
    members.some(({ phase }) => phase.kind === kind);
  if (has('rejected')) return 'rejected';
  const { length: approvals } = members.filter(({ phase }) => phase.kind === 'approved');
  if (approvals >= Math.min(request.quorum ?? members.length, members.length)) return 'approved';
  if (has('failed')) return 'failed';
  if (has('timed-out') && request.onTimeout === 'escalate') return 'timed-out';
  return 'approved';
}

interface Told {
  readonly members: readonly ReviewMember[];
  readonly kind: ReviewOutcome['kind'];
  readonly findings: readonly Finding[];
}

function textOf({ request }: ReviewState, { members, kind, findings }: Told): string {
  const said = members.map(({ specialization, phase }) => {
    switch (phase.kind) {
      case 'approved':
        return `${specialization} approves`;
      case 'rejected':
        return `${specialization} rejects`;
      case 'failed':
        return `${specialization} failed (${phase.reason})`;
      default:
        return `${specialization} gave no verdict in time`;
    }
  });
  const counts = severities
    .map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}`);
  const found = counts.length === 0 ? 'no findings' : counts.join(', ');
  const warning =
    kind !== 'approved' || members.every(({ phase }) => phase.kind === 'approved')
      ? ''
      : request.mode === 'optional'
        ? '; the review is optional, so this is advice'
        : `; warning: the plan lets a missing verdict pass${request.quorum === undefined ? '' : ` (quorum ${request.quorum})`}`;
  return `${said.join(', ')}: ${found}${warning}`;
}

/** The verdict a member came to, if it did. */
export function verdictOf({ phase }: ReviewMember): Verdict | undefined {
  return phase.kind === 'approved' || phase.kind === 'rejected' ? phase.verdict : undefined;
}
