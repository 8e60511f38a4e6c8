import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox } from '@switchyard/guard';
import { parsePlan } from '@switchyard/plan';
import { commitId } from '@switchyard/protocol';
import { redactor, silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVerifier } from '../src/verifier.ts';

const secret = 'tk-of-the-operator-1234';
/** Of no known value, and of the form of one. */
const form = `sk-${'live-0123456789abcdef'}`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verifier-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the verification of a merged result', () => {
  it('tells no secret that a command printed', async () => {
    const sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
    const checkout = async (_commit: unknown, to: string): Promise<void> => {
      await mkdir(to);
      writeFileSync(join(to, 'words.txt'), `token ${secret} and ${form}\n`);
    };
    const verifier = createVerifier({
      ...{ repository: { checkout }, sandbox, folder },
      layers: { onTrial: () => Promise.reject(new Error('this plan has no set-up')) },
      ...{ clock: systemClock, random: systemRandom, logger: silentLogger() },
      redact: redactor([secret]),
    });
    const commit = commitId.parse('a'.repeat(40));
    const text =
      'version: 1\nname: demo\nverify: { run: [cat words.txt] }\ntasks: [{ id: a, workspace: a, instructions: b, executor: { kind: command, run: [ls] } }]';
    const { plan } = parsePlan(text, { file: 'plan.yaml' });
    assert(plan !== undefined);
    const { receipts } = await verifier.verify({
      ...{ commit, accepted: commit, plan, include: undefined, signal: AbortSignal.timeout(30_000) },
    });
    expect(receipts.map(({ outputTail }) => outputTail)).toEqual(['token [Redacted] and [Redacted]\n']);
    await sandbox.close();
  });
});
