/** Opens a sandbox as a daemon does, and prints where the descriptors of a command in it lead. */
import { openSandbox } from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';

const sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
const { output } = await sandbox.run({
  argv: ['sh', '-c', 'for f in /proc/self/fd/*; do readlink $f; done; cat /proc/self/fd/100/secret.txt'],
  cwd: '/',
  mounts: [],
  env: {},
  network: 'none',
  timeoutMs: 60_000,
});
await sandbox.close();
process.stdout.write(`${output}END\n`);
