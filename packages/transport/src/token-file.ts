import { AppError, peerId, type PeerId, type Role } from '@switchyard/protocol';

/** A one-time token; bound to the peer that used it until its lasting token has arrived there. */
export interface Invitation {
  readonly hash: string;
  readonly role: Role;
  readonly expiresAt: number;
  readonly peer?: PeerId;
}

/** A token of one peer, made from an invitation that is named until the token is first used. */
export interface LastingToken {
  readonly hash: string;
  readonly role: Role;
  readonly peer: PeerId;
  readonly invitation?: string;
}

/** What `tokens.json` holds. */
export interface Book {
  readonly invitations: readonly Invitation[];
  readonly lasting: readonly LastingToken[];
}

/** Reads `tokens.json`. Throws AppError E_STATE_DAMAGED, E_STATE_NEWER. */
export function parseBook(text: string, file: string): Book {
  const damaged = (cause?: unknown): AppError =>
    new AppError(
      'E_STATE_DAMAGED',
      `${file} is damaged; remove it, and invite the workers and reviewers of other machines again`,
      { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(cause);
  }
  if (!isRecord(value) || typeof value['version'] !== 'number') throw damaged();
  if (value['version'] > 1)
    throw new AppError('E_STATE_NEWER', `${file} was written by a newer version of Switchyard; use that one`);
  const { invitations, lasting } = value;
  if (!Array.isArray(invitations) || !invitations.every(isInvitation)) throw damaged();
  if (!Array.isArray(lasting) || !lasting.every(isLastingToken)) throw damaged();
  return { invitations, lasting };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEntry(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && isHash(value['hash']) && ['worker', 'reviewer'].includes(String(value['role']));
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isInvitation(value: unknown): value is Invitation {
  if (!isEntry(value) || typeof value['expiresAt'] !== 'number') return false;
  return value['peer'] === undefined || peerId.safeParse(value['peer']).success;
}

function isLastingToken(value: unknown): value is LastingToken {
  if (!isEntry(value) || !peerId.safeParse(value['peer']).success) return false;
  return value['invitation'] === undefined || isHash(value['invitation']);
}
