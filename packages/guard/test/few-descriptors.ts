/**
 * A process that uses up its file descriptors, then has a few free again, and each time takes a snapshot and runs a
 * command, in a sandbox and in none. Prints what it was answered, each answer once: codes, and `done`. To be started
 * with a low limit of them.
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox, takeSnapshot, type Sandbox, type SandboxRequest } from '@switchyard/guard';
import { isAppError } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';

const freeCounts = [0, 1, 2, 4, 6, 9, 12, 16, 20, 25, 30, 40, 60];
const workspace = mkdtempSync(join(tmpdir(), 'few-descriptors-'));
const request: SandboxRequest = {
  argv: ['true'],
  cwd: workspace,
  mounts: [{ kind: 'write', source: workspace }],
  env: {},
  network: 'none',
  timeoutMs: 60_000,
};
const held: number[] = [];
const answers = new Set<string>();

function useUp(): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if (codeOf(error) !== 'EMFILE') throw error;
  }
}

function free(count: number): void {
  for (const descriptor of held.splice(0, count)) closeSync(descriptor);
}

/** Of an error that is none of ours, its own code or its words. */
function codeOf(error: unknown): string {
  if (isAppError(error)) return error.code;
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

async function answerOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    return codeOf(error);
  }
}

async function run(sandbox: Sandbox): Promise<void> {
  const { exitCode } = await sandbox.run(request);
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}`);
}

const options = { logger: silentLogger(), clock: systemClock };
const sandbox = await openSandbox({ ...options, mode: 'auto' });
const plain = await openSandbox({ ...options, mode: 'off' });
for (const count of freeCounts) {
  useUp();
  free(count);
  answers.add(await answerOf(() => takeSnapshot(workspace)));
  answers.add(await answerOf(async () => sandbox.prepare(request)));
  answers.add(await answerOf(() => run(sandbox)));
  answers.add(await answerOf(() => run(plain)));
}
free(held.length);
// With all of them back it works as ever, or ends here.
await takeSnapshot(workspace);
await run(sandbox);
await run(plain);
await sandbox.close();
await plain.close();
rmSync(workspace, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify([...answers].sort())}\n`);
