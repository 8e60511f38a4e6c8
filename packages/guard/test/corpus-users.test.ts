import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, canRun, runNode, users, type Program, type User } from './corpus/other-user.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
/** A collection of attacks with a runner of its own that somebody put beside the checkout, or elsewhere. */
const attacks = process.env['SWITCHYARD_ATTACKS'] ?? join(here, '../../../../shared/guard');
const long = 15 * 60_000;

const others: readonly User[] = users.filter(({ uid }) => uid !== undefined);

describe('the corpus', () => {
  it.skipIf(others.length === 0)(
    'is held for an ordinary user as for root (only root can try)',
    async () => {
      for (const user of others.filter(canRun)) {
        const program = await bundle(join(here, 'corpus/play-all.ts'));
        try {
          const { output, code } = await runNode(user, [program.path]);
          expect(output).toMatch(/^\d+ passed, 0 failed\n$/);
          expect(code).toBe(0);
        } finally {
          program.remove();
        }
      }
    },
    long,
  );
});

describe.skipIf(!existsSync(attacks))('the attacks beside the checkout', () => {
  let adapter: Program;
  beforeAll(async () => {
    adapter = await bundle(join(here, 'attack-adapter.ts'));
    cpSync(attacks, join(adapter.folder, 'attacks'), { recursive: true });
    execFileSync('chmod', ['-R', 'a+rX', adapter.folder]);
  });
  afterAll(() => adapter.remove());

  const run = (user: User, ...more: string[]) =>
    runNode(user, [join(adapter.folder, 'attacks/run-attacks.mjs'), '--adapter', adapter.path, ...more]);

  it.each(users.filter(canRun))(
    'are held for $name',
    async (user) => {
      const { output } = await run(user);
      const failed = output.split('\n').filter((line) => line.startsWith('FAIL '));
      // A busy machine may be too slow for a case: that alone is tried again.
      const slow = failed.filter((line) => /: took \d+ ms, at most \d+ allowed$/.test(line));
      expect(failed.filter((line) => !slow.includes(line))).toEqual([]);
      for (const line of slow) {
        const again = await run(user, '--only', line.split(' ')[1] ?? '');
        expect(again.output).toMatch(/\b0 failed\n$/);
      }
      expect(output).toMatch(/\b(?:[1-9]\d\d) passed, \d+ failed\n$/);
    },
    long,
  );
});
