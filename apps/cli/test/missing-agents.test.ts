import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { afterEach, expect, it } from 'vitest';
import type { CommandContext } from '../src/context.ts';
import { requireAgents } from '../src/missing-agents.ts';

const folder = mkdtempSync(join(tmpdir(), 'sy-agents-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a run of this machine alone begins only where its agents are', async () => {
  const plan = buildPlan([
    buildTask({ id: 'a', more: { executor: { kind: 'cli', agent: 'codex' } } }),
    buildTask({ id: 'b', more: { executor: { kind: 'cli', agent: 'codex' } } }),
    buildTask({ id: 'c' }),
  ]);
  const all = { PATH: '', HOME: folder, SWITCHYARD_AGENT_FOLDERS: folder };
  const context = { environment: { all } } as unknown as CommandContext;
  await expect(requireAgents(plan, context)).rejects.toMatchObject({
    code: 'E_AGENT_MISSING',
    message: expect.stringMatching(
      /^task a: the program codex .*npm install --prefix FOLDER @openai\/codex@[^]*\nor start/,
    ) as string,
  });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin', 'codex'), '');
  chmodSync(join(folder, 'bin', 'codex'), 0o755);
  await requireAgents(plan, context);
});
