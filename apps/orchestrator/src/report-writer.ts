import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attemptFolder } from '@switchyard/peer';
import type { RunId, RunReport } from '@switchyard/protocol';
import { renderHtml, renderMarkdown } from '@switchyard/report';
import type { ReportFiles, ReportWriter, WorkOf } from './ports.ts';

/**
 * Keeps reports as `runs/<run>/report.{md,html,json}`; the JSON is written last and marks them whole. Case files lie
 * beside them, and where a result could not be published, why: the next one of us does both again.
 */
export class FileReports implements ReportWriter {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    for (const run of existsSync(folder) ? readdirSync(folder) : [])
      if (existsSync(join(folder, run, unpublishedFile)))
        rmSync(join(folder, run, 'report.json'), { force: true });
  }

  async write(report: RunReport, unpublished?: string): Promise<ReportFiles> {
    const files = this.files(report.view.run);
    const owed = join(this.folder, report.view.run, unpublishedFile);
    mkdirSync(dirname(owed), { recursive: true, mode: 0o700 });
    if (unpublished === undefined) await rm(owed, { force: true });
    else await writeWhole(owed, unpublished);
    await writeWhole(files.markdown, renderMarkdown(report));
    await writeWhole(files.html, await renderHtml(report));
    await writeWhole(files.json, `${JSON.stringify(report, null, 2)}\n`);
    return files;
  }

  find(run: RunId): ReportFiles | undefined {
    const files = this.files(run);
    return existsSync(files.json) ? files : undefined;
  }

  drop(run: RunId): Promise<void> {
    return rm(this.files(run).json, { force: true });
  }

  async writeCase(file: string, text: string): Promise<void> {
    const target = join(dirname(this.folder), file);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    await writeWhole(target, text);
  }

  transcriptOf({ run, taskId, fence, worker }: WorkOf): string | undefined {
    const name = `${attemptFolder({ run, taskId, fence })}.ndjson`;
    const transcript = ['peers', worker, 'transcripts', name].join('/');
    return existsSync(join(dirname(this.folder), transcript)) ? transcript : undefined;
  }

  private files(run: RunId): ReportFiles {
    const base = join(this.folder, run, 'report');
    return { markdown: `${base}.md`, html: `${base}.html`, json: `${base}.json` };
  }
}

/** Why the result of a run could not be published; the command line reads it. */
const unpublishedFile = 'unpublished.txt';

/** Readers see the old file or the new one, never half of it. */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
