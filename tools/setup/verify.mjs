// `npm run verify`: lint, format, types, tidy and tests, each told with its time. All run, also after one fails.
import { join } from 'node:path';
import { runHere } from './child.mjs';
import { ensure, root } from './ensure.mjs';
import { endWith } from './setup-error.mjs';

const bin = (...parts) => join(root, 'node_modules', ...parts);
const testScript = join(root, 'tools', 'setup', 'test.mjs');

const steps = [
  ['lint', [bin('oxlint', 'bin', 'oxlint'), '--type-aware', '--deny-warnings']],
  ['format', [bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.']],
  ['types', [bin('typescript-7', 'bin', 'tsc'), '-p', join('tools', 'ts', 'all.json')]],
  ['tidy', [testScript, '--dir', join('test', 'tidy')]],
  ['tests', [testScript, '--exclude', 'test/tidy/**']],
];

await endWith(async () => {
  ensure();
  const ended = [];
  for (const [name, args] of steps) {
    console.log(`\n== ${name}`);
    const started = performance.now();
    const code = await runHere(process.execPath, args, { cwd: root });
    ended.push({ name, code, seconds: (performance.now() - started) / 1000 });
    if (code === 130) break;
  }
  console.log('');
  for (const { name, code, seconds } of ended)
    console.log(`${code === 0 ? 'ok    ' : 'failed'} ${name.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s`);
  return ended.every(({ code }) => code === 0) && ended.length === steps.length ? 0 : 1;
});
