import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { AppError, messageOf } from '@switchyard/protocol';
import { isAlive } from '@switchyard/runtime';
import { z } from 'zod';

/** Where the hub is now. */
export interface HubPlace {
  /** `ws://…/hub` or `wss://…/hub`. */
  readonly url: string;
  /** The same host for git and the API. */
  readonly httpUrl: string;
  readonly fingerprint?: string | undefined;
}

const orchestratorFile = z.object({
  pid: z.number(),
  startedTicks: z.number(),
  url: z.string(),
  httpUrl: z.string(),
  fingerprint: z.string().optional(),
});

/**
 * Reads the file that a running orchestrator keeps in its state folder; undefined: none runs. The address of one that was
 * killed is nobody's, or a stranger's by now, who would be shown our token.
 */
export function readOrchestratorFile(file: string): HubPlace | undefined {
  try {
    const { pid, startedTicks, ...place } = orchestratorFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    return isAlive({ pid, startedTicks }) ? place : undefined;
  } catch {
    // No orchestrator yet, or half a file of one that crashed; whoever dials tries again.
    return undefined;
  }
}

/** The place that an address on the command line names. */
export function placeOfUrl(url: string, fingerprint: string | undefined): HubPlace {
  const parsed = new URL(url);
  const protocol = parsed.protocol === 'wss:' ? 'https:' : 'http:';
  return { url, httpUrl: `${protocol}//${parsed.host}`, fingerprint };
}

const keptToken = z.object({ token: z.string(), exchangedFor: z.string() });

export interface TokenOptions {
  /** From the environment, or the content of `--token-file`. */
  readonly given: string | undefined;
  /** Where the lasting token of this peer is kept. */
  readonly keptFile: string;
  /** The operator's token of the repository's state folder. */
  readonly stateFile: string | undefined;
}

/**
 * The token to show, read anew at each dial. An invitation's token works once; what it was exchanged for is used
 * from then on, until another invitation is given.
 */
export class Tokens {
  private readonly options: TokenOptions;

  constructor(options: TokenOptions) {
    this.options = options;
  }

  /** Throws AppError E_TOKEN when there is none. */
  current(): string {
    const { given, stateFile } = this.options;
    const kept = this.kept();
    if (kept !== undefined && (given === undefined || kept.exchangedFor === digest(given))) return kept.token;
    if (given !== undefined) return given;
    if (stateFile === undefined) {
      throw new AppError(
        'E_TOKEN',
        'no token: give the one of the invitation in SWITCHYARD_TOKEN or by --token-file',
      );
    }
    try {
      return readTokenFile(stateFile);
    } catch (cause) {
      // The orchestrator makes it when it first starts.
      throw new AppError('E_UNREACHABLE', `no orchestrator has made its token yet (${messageOf(cause)})`, {
        cause,
      });
    }
  }

  /** Keeps what the token in use was exchanged for; only its owner can read it. */
  keep(token: string): void {
    const { given, keptFile } = this.options;
    const temporary = `${keptFile}.new`;
    const content = { token, exchangedFor: digest(given ?? '') };
    writeFileSync(temporary, JSON.stringify(content), { mode: 0o600, flush: true });
    renameSync(temporary, keptFile);
  }

  private kept(): z.output<typeof keptToken> | undefined {
    try {
      return keptToken.parse(JSON.parse(readFileSync(this.options.keptFile, 'utf8')));
    } catch {
      // None yet.
      return undefined;
    }
  }
}

/** The token of the environment, else the content of `--token-file`. Throws AppError E_TOKEN. */
export function givenToken(config: {
  readonly token: string | undefined;
  readonly tokenFile?: string | undefined;
}): string | undefined {
  if (config.token !== undefined || config.tokenFile === undefined) return config.token;
  try {
    return readTokenFile(config.tokenFile);
  } catch (cause) {
    const text = `--token-file: ${config.tokenFile} cannot be read (${messageOf(cause)})`;
    throw new AppError('E_TOKEN', text, { cause });
  }
}

/** Reads a token file without its line break. */
function readTokenFile(file: string): string {
  return readFileSync(file, 'utf8').trim();
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
