import { createHash, timingSafeEqual } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Lane, PeerId, Role } from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';
import type { Grant } from './hub-interface.ts';
import { parseBook, type Book, type Invitation, type LastingToken } from './token-file.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

export interface TokenBookOptions {
  readonly random: Random;
  readonly clock: Clock;
}

/** Roles that an invitation may be for. */
export type InvitedRole = Extract<Role, 'worker' | 'reviewer'>;

/** How long an invitation may wait to be used. */
export const invitationMs = 60 * 60_000;
/** The name of the observers' token, beside the operator's. */
export const observerTokenName = 'observer-token';
/** 52 characters of base 32: 260 bits. */
const tokenLength = 52;

/**
 * Opens the tokens of one state folder. `file` holds the operator's token in plain text and is made when it is
 * missing, and so is the observers' beside it; invitations and lasting tokens are kept in `tokens.json`, as SHA-256
 * only. All can be read by their owner only. Throws AppError E_STORAGE, E_STATE_DAMAGED, E_DISK_FULL.
 */
export function openTokenBook(file: string, options: TokenBookOptions): TokenBook {
  return new TokenBook(file, options);
}

/** Who may connect as what. */
export class TokenBook {
  /** Lets its holder in as anything: this machine's daemons and the user's own clients. */
  readonly operatorToken: string;
  private readonly options: TokenBookOptions;
  private readonly bookFile: string;
  private readonly operatorHash: string;
  private readonly observerHash: string;
  private book: Book;

  constructor(file: string, options: TokenBookOptions) {
    this.options = options;
    this.bookFile = join(dirname(file), 'tokens.json');
    this.operatorToken = openPlainToken(file, options.random);
    const observer = openPlainToken(join(dirname(file), observerTokenName), options.random);
    this.observerHash = hashOf(observer);
    this.operatorHash = hashOf(this.operatorToken);
    const text = readSecretFile(this.bookFile);
    this.book = text === undefined ? { invitations: [], lasting: [] } : parseBook(text, this.bookFile);
  }

  /** Makes a one-time token for one peer of this role; valid for an hour unless told otherwise. */
  invite(role: InvitedRole, validMs: number = invitationMs): { token: string; expiresAt: number } {
    const token = this.options.random.token(tokenLength);
    const expiresAt = Math.round(this.options.clock.now() + validMs);
    this.save({
      ...this.book,
      invitations: [...this.validInvitations(), { hash: hashOf(token), role, expiresAt }],
    });
    return { token, expiresAt };
  }

  /** What a token allows on a lane; undefined: nothing. */
  grant(token: string | undefined, lane: Lane): Grant | undefined {
    if (token === undefined) return undefined;
    const hash = hashOf(token);
    const credential = hash.slice(0, 16);
    if (isEqual(hash, this.operatorHash))
      return { roles: ['worker', 'reviewer', 'client', 'observer'], lane, credential };
    if (isEqual(hash, this.observerHash)) return { roles: ['observer'], lane, credential };
    const lasting = this.book.lasting.find((entry) => isEqual(entry.hash, hash));
    if (lasting !== undefined) {
      this.burnInvitation(lasting);
      return { roles: [lasting.role], peer: lasting.peer, lane, credential };
    }
    const invitation = this.validInvitations().find((entry) => isEqual(entry.hash, hash));
    if (invitation === undefined) return undefined;
    return {
      roles: [invitation.role],
      ...(invitation.peer === undefined ? {} : { peer: invitation.peer }),
      lane,
      credential,
      lastingToken: (peer) => this.exchange(invitation.hash, peer),
    };
  }

  /** Takes the tokens of a peer away; the caller also disconnects it. False: it had none. */
  revoke(peer: PeerId): boolean {
    const isOthers = (entry: { readonly peer?: PeerId }): boolean => entry.peer !== peer;
    const invitations = this.book.invitations.filter(isOthers);
    const lasting = this.book.lasting.filter(isOthers);
    if (invitations.length + lasting.length === this.book.invitations.length + this.book.lasting.length)
      return false;
    this.save({ invitations, lasting });
    return true;
  }

  /**
   * Binds an invitation to the peer that uses it and makes its lasting token. Until that is used for the first time
   * the same peer may ask again: the welcome that carried it may have been lost.
   */
  private exchange(hash: string, peer: PeerId): string | undefined {
    const invitation = this.validInvitations().find((entry) => entry.hash === hash);
    if (invitation === undefined || (invitation.peer !== undefined && invitation.peer !== peer))
      return undefined;
    const holder = this.book.lasting.find((entry) => entry.peer === peer);
    if (holder !== undefined && holder.invitation !== hash) return undefined;
    const token = this.options.random.token(tokenLength);
    const bound: Invitation = { ...invitation, peer };
    this.save({
      invitations: [...this.validInvitations().filter((entry) => entry.hash !== hash), bound],
      lasting: [
        ...this.book.lasting.filter((entry) => entry !== holder),
        { hash: hashOf(token), role: invitation.role, peer, invitation: hash },
      ],
    });
    return token;
  }

  /** The lasting token has arrived, so its invitation is used up. */
  private burnInvitation(lasting: LastingToken): void {
    if (lasting.invitation === undefined) return;
    const { invitation, ...rest } = lasting;
    this.save({
      invitations: this.book.invitations.filter((entry) => entry.hash !== invitation),
      lasting: this.book.lasting.map((entry) => (entry === lasting ? rest : entry)),
    });
  }

  private validInvitations(): Invitation[] {
    const now = this.options.clock.now();
    return this.book.invitations.filter((entry) => entry.expiresAt > now);
  }

  private save(book: Book): void {
    writeSecretFile(this.bookFile, `${JSON.stringify({ version: 1, ...book }, undefined, 2)}\n`);
    this.book = book;
  }
}

function openPlainToken(file: string, random: Random): string {
  const found = readSecretFile(file)?.trim();
  if (found !== undefined && /^[\x21-\x7e]{20,1024}$/.test(found)) {
    chmodSync(file, 0o600);
    return found;
  }
  const token = random.token(tokenLength);
  writeSecretFile(file, `${token}\n`);
  return token;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Compares two hashes in a time that does not tell where they differ. */
function isEqual(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
