import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { findRepository } from '@switchyard/access';
import { AppError, messageOf } from '@switchyard/protocol';
import { systemRandom } from '@switchyard/runtime';
import type { McpConfig } from './config.ts';

const tokenLength = 52;
const tokenForm = /^[\x21-\x7e]{20,1024}$/;

/** The token that HTTP clients must show, and the file that holds it. */
export interface HttpToken {
  readonly token: string;
  readonly file: string;
}

/** Reads the token of HTTP clients, and makes it if there is none. Throws AppError E_TOKEN. */
export async function openHttpToken(config: McpConfig): Promise<HttpToken> {
  const file = await fileOf(config);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${systemRandom.token(tokenLength)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    if (!isThere) throw unusable(file, messageOf(cause), cause);
  }
  const token = read(file);
  if (!tokenForm.test(token)) throw unusable(file, 'a token has 20 characters or more, and no spaces');
  return { token, file };
}

async function fileOf(config: McpConfig): Promise<string> {
  if (config.httpTokenFile !== undefined) return resolve(config.cwd, config.httpTokenFile);
  if ((config.hub ?? config.environment.hub) !== undefined)
    throw new AppError(
      'E_TOKEN',
      'which token do HTTP clients show? with --hub, name its file by --http-token-file',
    );
  return join((await findRepository(config, config)).folder.root, 'mcp-token');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw unusable(file, messageOf(cause), cause);
  }
}

function unusable(file: string, why: string, cause?: unknown): AppError {
  return new AppError('E_TOKEN', `the token file ${file} cannot be used: ${why}`, { cause });
}
