import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { readFacts } from './code/read-facts.ts';
import type { PlacedFinding } from './engine.ts';
import { loadLinter, scanLint } from './lint/lint-scan.ts';
import { loadRules, type AnalysisRule } from './rule-book.ts';
import { scanJob, type ScanAnswer, type ScanJob } from './scan-protocol.ts';
import { scanSecrets } from './secret-scan.ts';
import { scanSql } from './sql-scan.ts';
import { scanSyntax } from './syntax-scan.ts';
import { scanText } from './text-scan.ts';

/**
 * The scan process: takes one job at a time, a line of JSON on its input, and answers it with a line. It is a process of its own because
 * hostile source can keep a parser or a regular expression busy for hours: whoever started it kills it then.
 */
const rules: AnalysisRule[] = loadRules();

async function perform(job: ScanJob): Promise<ScanAnswer> {
  const { id, scan: kind, path, text } = job;
  if (kind === 'facts') return { id, kind: 'facts', facts: readFacts({ path, text }) };
  return { id, kind: 'found', findings: await scan({ ...job, scan: kind }) };
}

async function scan(
  job: ScanJob & { readonly scan: Exclude<ScanJob['scan'], 'facts'> },
): Promise<PlacedFinding[]> {
  const source = { path: job.path, text: job.text };
  switch (job.scan) {
    case 'syntax':
      return scanSyntax(source, job.specializations, rules);
    case 'secrets':
      return scanSecrets(source);
    case 'load-linter':
      await loadLinter();
      return [];
    case 'lint':
      return scanLint({ ...source, deep: job.deep === true });
    case 'text':
      return [...scanText(source, job.specializations), ...scanSql(source, job.specializations)];
  }
}

async function serve(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const job = scanJob.parse(JSON.parse(line));
    const answer = await perform(job).catch((error: unknown): ScanAnswer => ({
      id: job.id,
      kind: 'broken',
      message: String(error),
    }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

serve().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(70);
});

// While the main thread is inside a parser it does not hear the end of its input; this thread does not let it outlive its parent.
const watch = `const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`;
new Worker(watch, { eval: true, execArgv: [] }).unref();

process.stdout.write('ready\n');
