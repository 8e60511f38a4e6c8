import { Worker } from 'node:worker_threads';
import type { PlacedFinding } from './engine.ts';
import { loadRules, type AnalysisRule } from './rule-book.ts';
import { scanJob, type ScanAnswer, type ScanJob } from './scan-protocol.ts';
import { scanSecrets } from './secret-scan.ts';
import { readSource } from './source-file.ts';
import { scanSyntax } from './syntax-scan.ts';
import { scanText } from './text-scan.ts';

/**
 * The scan process: takes one job at a time over its channel and answers it. It is a process of its own because
 * hostile source can keep a parser or a regular expression busy for hours: whoever started it kills it then.
 */
let rules: AnalysisRule[] | undefined;

async function perform(job: ScanJob): Promise<ScanAnswer> {
  const source = await readSource(job.root, job.path);
  switch (source.kind) {
    case 'text':
      return { id: job.id, kind: 'found', findings: await scan(job, source.text) };
    case 'too-large':
      return { id: job.id, kind: 'skipped', reason: `it has ${source.bytes} bytes` };
    case 'binary':
    case 'not-a-file':
      return { id: job.id, kind: 'found', findings: [] };
  }
}

async function scan(job: ScanJob, text: string): Promise<PlacedFinding[]> {
  const source = { path: job.path, text };
  switch (job.scan) {
    case 'syntax':
      rules ??= loadRules();
      return scanSyntax(source, job.specialization, rules);
    case 'secrets':
      return scanSecrets(source);
    case 'text':
      return scanText(source, job.specialization);
  }
}

process.on('message', (message) => {
  const job = scanJob.parse(message);
  perform(job)
    .catch((error: unknown): ScanAnswer => ({ id: job.id, kind: 'broken', message: String(error) }))
    .then((answer) => process.send?.(answer))
    .catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(70);
    });
});
process.on('disconnect', () => process.exit(0));

// While the main thread is inside a parser it hears no `disconnect`; this thread does not let it outlive its parent.
const watch = `const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`;
new Worker(watch, { eval: true, execArgv: [] }).unref();
